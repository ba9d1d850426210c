/**
 * Shows that the simulator can fail: breaks the built engine in a copy, one way at a time, and counts the seeds that
 * it takes until something notices. `npm run sim:mutants -- [seeds] [name]`. A mutant that survives means that the
 * simulator is too weak, and ends the program with 1.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { assert } from '@isthmus/replication/errors';
import { mutants, type Mutant } from './mutant-list.ts';

const root = new URL('../../..', import.meta.url).pathname;
const firstSeed = 1;
const batch = 20;

async function main(): Promise<void> {
  const [seedsGiven = '400', only] = process.argv.slice(2);
  const chosen = mutants.filter(({ name }) => only === undefined || name === only);
  let survivors = 0;
  for (const mutant of chosen) {
    const killed = await killedBy(mutant, Number(seedsGiven));
    if (killed === null) survivors++;
    const fate =
      killed === null ? `SURVIVED ${seedsGiven} seeds` : `killed by seed ${killed.seeds}: ${killed.by}`;
    process.stdout.write(`${mutant.name.padEnd(36)} ${fate}\n`);
  }
  if (survivors > 0) process.exitCode = 1;
}

interface Killed {
  /** How many seeds it took. */
  readonly seeds: number;
  readonly by: string;
}

async function killedBy(mutant: Mutant, seeds: number): Promise<Killed | null> {
  const copy = copyOf(mutant);
  try {
    for (let done = 0; done < seeds; done += batch) {
      const killed = await run(copy, done);
      if (killed !== null) return killed;
    }
    return null;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function run(copy: string, done: number): Promise<Killed | null> {
  const program = join(copy, 'test/dist/simulation/first-failure.js');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, `${firstSeed + done}`, `${batch}`],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  const found = /^(\d+) (.*)$/m.exec(stdout);
  return found === null ? null : { seeds: Number(found[1]) - firstSeed + 1, by: found[2] ?? '' };
}

/** Packages resolve to the copy, so that only the copy is broken. */
function copyOf({ name, file, edits }: Mutant): string {
  const copy = mkdtempSync(join(tmpdir(), 'isthmus-mutant-'));
  for (const part of ['conflict', 'replication', 'test'])
    for (const what of ['package.json', 'dist'])
      cpSync(join(root, part, what), join(copy, part, what), { recursive: true });
  mkdirSync(join(copy, 'node_modules/@isthmus'), { recursive: true });
  for (const ours of ['conflict', 'replication'])
    symlinkSync(join(copy, ours), join(copy, 'node_modules/@isthmus', ours));
  for (const theirs of ['kafkajs', 'pg', 'zod', 'yjs', 'lib0'])
    symlinkSync(join(root, 'node_modules', theirs), join(copy, 'node_modules', theirs));
  const path = join(copy, file);
  let text = readFileSync(path, 'utf8');
  for (const [from, to] of edits) {
    assert(text.includes(from), `the mutant ${name} no longer fits ${file}`);
    text = text.replace(from, to);
  }
  writeFileSync(path, text);
  return copy;
}

await main();
