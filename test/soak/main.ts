/**
 * `npm run soak`: two regions on real servers under mixed load and random faults for as long as is asked, with what they
 * hold read every few seconds. Progress goes to standard error, the report to standard output. It ends with 0 when the
 * regions agree, no increment is lost and every curve is flat, 1 when not, 2 on wrong usage.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { randomFrom } from '@isthmus/loadtest/random';
import { whyNotWritable } from '@isthmus/loadtest/writable';
import { type Demo, startDemo } from '../e2e/demo.ts';
import { commit, machine } from '../place.ts';
import { agreement } from './agreement.ts';
import { fireFaults, healed } from './faults.ts';
import { MixedLoad } from './load.ts';
import { readOptions, type SoakOptions, usage, WrongUsage } from './options.ts';
import { hasFailed, htmlOf, jsonOf, type Soak, summaryOf, textOf } from './report.ts';
import { Recorder } from './recorder.ts';

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return 0;
  }
  const options = readOptions(args, randomInt(1, 2 ** 31));
  requireWritable(options);
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-soak-'));
  // The servers run as a user of their own and must come through to their folders.
  await chmod(folder, 0o755);
  const demo = await startDemo(['--keep', folder, '--delay', '0', '--log', options.log]);
  try {
    const soak = await run(options, demo, folder);
    process.stdout.write(textOf(soak));
    if (options.jsonFile !== null) await write(soak, options.jsonFile);
    if (options.summaryFile !== null) await writeFile(options.summaryFile, summaryOf(soak));
    return hasFailed(soak) ? 1 : 0;
  } finally {
    await demo.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Known before the hour, not after it. */
function requireWritable({ jsonFile, summaryFile }: SoakOptions): void {
  const files = [['--json', jsonFile] as const, ['--summary', summaryFile] as const];
  for (const [option, path] of files) {
    const unwritable = path === null ? null : whyNotWritable(option, path);
    if (unwritable !== null) throw new WrongUsage(unwritable);
  }
}

async function run(options: SoakOptions, demo: Demo, folder: string): Promise<Soak> {
  const { minutes, ratePerS, seed, log, hasFaults } = options;
  const startedAt = new Date().toISOString();
  const about = { startedAt, commit: commit(), machine: machine(), minutes, ratePerS, seed, log, hasFaults };
  await healed(demo, 'the start');
  const startMs = performance.now();
  const elapsedS = (): number => (performance.now() - startMs) / 1000;
  const load = new MixedLoad(demo.regions, { ratePerS, seed });
  const recorder = new Recorder(demo, folder, elapsedS);
  const end = new AbortController();
  load.start();
  recorder.start(() => {
    const { acknowledged, unknown } = load.totals;
    say(`${elapsedS().toFixed(0)} of ${minutes * 60} s, ${acknowledged} acknowledged, ${unknown} unknown`);
  });
  const next = randomFrom(seed + 1);
  const faults = hasFaults
    ? fireFaults({ demo, next, elapsedS, say }, end.signal)
    : once(end.signal, 'abort').then(() => []);
  // A fault that does not heal ends it at once.
  await Promise.race([pause(minutes * 60_000, undefined, { ref: false }), faults]);
  end.abort();
  const fired = await faults;
  await load.stop();
  await recorder.stop();
  const violations = await agreement(demo.regions, load.sums);
  return { about, totals: load.totals, faults: fired, curves: recorder.curves(), violations };
}

async function write(soak: Soak, jsonFile: string): Promise<void> {
  const htmlFile = `${jsonFile.replace(/\.json$/, '')}.html`;
  await writeFile(jsonFile, jsonOf(soak));
  await writeFile(htmlFile, htmlOf(soak));
  say(`Written: ${jsonFile} and ${htmlFile}`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error;
  process.stderr.write(`${error.message}\n${usage}`);
  process.exitCode = 2;
}
