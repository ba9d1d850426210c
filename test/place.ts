/**
 * Where a campaign ran: a figure without its commit and its machine says nothing. What was changed since the commit is
 * told with it, and two trees that were both changed are never taken for the same, because nobody knows by what.
 */
import { execFileSync } from 'node:child_process';
import { arch, cpus, platform, totalmem } from 'node:os';

const changed = '-dirty';
const unknown = 'unknown';
const below = (path: string): string => `:(top)${path}`;
const without = (path: string): string => `:(top,exclude)${path}`;
/** What a run runs through. Campaigns add to their own results while they run, which changes nothing. */
const ground = [
  ...['conflict', 'deploy', 'loadtest', 'replication', 'services', 'test'].map(below),
  ...['package.json', 'package-lock.json', 'tsconfig.json'].map(below),
  ...['test/campaigns', 'test/mutants.json', '*.md'].map(without),
];

/** Of the working folder that the program lies in, whatever folder it was called from; ends in `-dirty` where it was changed since. */
export function commit(folder: string = import.meta.dirname): string {
  try {
    return withChanges(folder, git(folder, 'rev-parse', '--short', 'HEAD'), ground);
  } catch {
    return unknown;
  }
}

/** What ran at the one is surely what would run at the other. */
export function isSameCommit(one: string, other: string): boolean {
  return one === other && one !== unknown && !one.endsWith(changed);
}

export function machine(): string {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores, ${gibibytes} GiB, ${platform()} ${arch()}, Node ${process.versions.node}`;
}

/** Folders of the adapters that no simulated world has. */
export const realAdapters = ['kafka', 'node', 'postgres', 'postgres-log'].map(
  (name) => `replication/src/adapters/${name}`,
);
/** All that a seed of the simulator runs through; the rest may change between two runs of one campaign. */
const simulated = [
  ...['conflict/src', 'replication/src', 'test/checkers', 'test/simulation'].map(below),
  ...['test/simulation/campaign', 'test/simulation/main.ts', '*.md', '*.test.ts'].map(without),
  ...realAdapters.map(without),
];

/** The last commit that changed any of what a seed of the simulator runs through; ends in `-dirty` where it was changed since. */
export function engineCommit(): string {
  try {
    const last = git(import.meta.dirname, 'log', '-1', '--format=%h', '--', ...simulated);
    return withChanges(import.meta.dirname, last, simulated);
  } catch {
    return unknown;
  }
}

function withChanges(folder: string, found: string, paths: readonly string[]): string {
  return git(folder, 'status', '--porcelain', '--', ...paths) === '' ? found : `${found}${changed}`;
}

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
