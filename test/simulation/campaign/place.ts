/**
 * Of which engine and on which machine a campaign ran: a figure without them says nothing. Seeds that ran at different
 * moments belong together where nothing has changed between that a seed runs through.
 */
import { execFileSync } from 'node:child_process';
import { cpus, platform, arch, totalmem } from 'node:os';

/** All that a seed runs through; the rest of the repository may change between two runs of one campaign. */
const ground = [
  'conflict/src',
  'replication/src',
  'test/checkers',
  'test/simulation',
  ...['test/simulation/campaign', 'test/simulation/main.ts', '*.md', '*.test.ts'].map(
    (path) => `:(exclude)${path}`,
  ),
];

/** The last commit that changed any of it; `+` where it was changed since. */
export function engineCommit(): string {
  try {
    const commit = git('log', '-1', '--format=%h', '--', ...ground);
    return git('status', '--porcelain', '--', ...ground) === '' ? commit : `${commit}+`;
  } catch {
    return 'unknown';
  }
}

export function machine(): string {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores, ${gibibytes} GiB, ${platform()} ${arch()}, Node ${process.versions.node}`;
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
