/**
 * Finds out whether anything notices what was done to a tree: seeds of the simulator until one fails, or a suite. It says after how many seeds, and by what.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { assert } from '@isthmus/replication/errors';
import type { Killer } from './mutant.ts';

export interface Kill {
  /** How many seeds it took; 0 for a suite. */
  readonly seeds: number;
  readonly by: string;
}

/** `alone`: everything else works. `bare`: neither transfers nor sweeps repair anything. */
export type Setting = 'alone' | 'bare';

const firstSeed = 1;
const batch = 40;
const maxBuffer = 64 * 1024 * 1024;
const run = promisify(execFile);

/** `null`: nothing noticed. */
export function hunt(
  tree: string,
  killer: Killer,
  how: { readonly setting: Setting; readonly maxSeeds: number },
): Promise<Kill | null> {
  return killer.kind === 'suite' ? bySuite(tree, killer.tests) : bySeeds(tree, how);
}

async function bySeeds(
  tree: string,
  { setting, maxSeeds }: { readonly setting: Setting; readonly maxSeeds: number },
): Promise<Kill | null> {
  const program = join(tree, 'test/dist/simulation/campaign/first-failure.js');
  const nets = setting === 'bare' ? ['unhealed'] : [];
  for (let done = 0; done < maxSeeds; done += batch) {
    const count = Math.min(batch, maxSeeds - done);
    const args = [program, `${firstSeed + done}`, `${count}`, ...nets];
    const { stdout } = await run(process.execPath, args, { maxBuffer });
    const found = /^(\d+) (.*)$/m.exec(stdout);
    if (found === null) continue;
    const by = found[2] ?? '';
    assert(isJudgement(by), `the mutant only breaks down: ${by}`);
    return { seeds: Number(found[1]) - firstSeed + 1, by };
  }
  return null;
}

/** An assertion of the engine is one; that a mutant cannot run is none, and says nothing about who would notice it. */
export function isJudgement(by: string): boolean {
  return !/^crash: (?:Reference|Syntax|Type|Range)Error\b/.test(by);
}

async function bySuite(tree: string, tests: readonly string[]): Promise<Kill | null> {
  const program = join(tree, 'node_modules/vitest/vitest.mjs');
  const args = [program, 'run', '--config', 'test/vitest.config.ts', ...tests];
  const env = { ...process.env, NO_COLOR: '1', CI: '1' };
  try {
    await run(process.execPath, args, { cwd: tree, env, maxBuffer });
    return null;
  } catch (reason) {
    const said = reason instanceof Error && 'stdout' in reason && 'stderr' in reason;
    const text = said ? `${String(reason.stdout)}\n${String(reason.stderr)}` : String(reason);
    const by = failedTest(text);
    // A suite that could not be run has noticed nothing.
    if (by === null) throw reason;
    return { seeds: 0, by };
  }
}

/** The first test that failed; `null`: there is none, as where a file could not even be loaded. */
export function failedTest(said: string): string | null {
  const failed = [...said.matchAll(/^\s*FAIL\s+(.*)$/gm)].map(([, name = '']) => name);
  return failed.find((name) => name.includes(' > ')) ?? null;
}
