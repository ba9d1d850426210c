/** Runs many seeds on all cores and tells each result as it comes; what is told says whether another seed is begun. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { assert } from '@isthmus/replication/errors';
import type { SimOptions } from './options.ts';
import type { ScenarioOptions } from '../scenario.ts';
import type { SeedResult } from '../seed-result.ts';

/**
 * Worlds differ, so what Node 20's compiler makes of one seed is often thrown away in the next: it must wait longer than
 * usual before it begins, or it takes two fifths of all work. Until then the simple compiler's code runs, made at the
 * first call. Each core has a process of its own, so nothing is won by collecting garbage on several, and nearly all
 * that a world makes is garbage soon. Later versions have a compiler between the two, refuse the budget's option, and
 * are slower with the others than without.
 */
const execArgv =
  Number.parseInt(process.versions.node, 10) > 20
    ? []
    : ['--always-sparkplug', '--interrupt-budget=300000', '--single-threaded-gc', '--max-semi-space-size=32'];

type CampaignOptions = ScenarioOptions & Pick<SimOptions, 'workers'>;

export async function runSeeds(
  seeds: readonly number[],
  options: CampaignOptions,
  onResult: (result: SeedResult) => 'go on' | 'enough',
): Promise<void> {
  const left = [...seeds];
  const count = Math.min(options.workers ?? availableParallelism(), seeds.length);
  await Promise.all(Array.from({ length: count }, () => work(left, options, onResult)));
}

async function work(
  left: number[],
  options: CampaignOptions,
  onResult: (result: SeedResult) => 'go on' | 'enough',
): Promise<void> {
  const worker = fork(new URL('worker.js', import.meta.url), [JSON.stringify(options)], {
    execArgv,
    serialization: 'advanced',
  });
  let isOver = false;
  const next = (): void => {
    const seed = left.shift();
    isOver = seed === undefined;
    if (seed === undefined) worker.disconnect();
    else worker.send(seed);
  };
  worker.on('message', (result: SeedResult) => {
    if (onResult(result) === 'enough') left.length = 0;
    next();
  });
  next();
  await once(worker, 'exit');
  assert(isOver, 'a worker of the campaign has ended in the middle of a seed');
}
