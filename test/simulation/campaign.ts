/** Runs many seeds on all cores and tells each result as it comes. */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { SimOptions } from './options.ts';
import type { SeedResult } from './seed-result.ts';

/** A campaign is short for a compiler that waits to see what is worth it. */
const compileSoon = ['--always-sparkplug', '--interrupt-budget=20000'];

export async function runCampaign(
  seeds: readonly number[],
  options: SimOptions,
  onResult: (result: SeedResult) => void,
): Promise<void> {
  for (const flag of compileSoon) setFlagsFromString(flag);
  const left = [...seeds];
  const count = Math.min(options.workers ?? availableParallelism(), seeds.length);
  await Promise.all(Array.from({ length: count }, () => work(left, options, onResult)));
}

async function work(
  left: number[],
  options: SimOptions,
  onResult: (result: SeedResult) => void,
): Promise<void> {
  const worker = new Worker(new URL('worker.js', import.meta.url), { workerData: { options } });
  try {
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const seed = left.shift();
        if (seed === undefined) return resolve();
        // A worker of Node has no origin.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        worker.postMessage(seed);
      };
      worker.on('message', (result: SeedResult) => {
        onResult(result);
        next();
      });
      worker.on('error', reject);
      next();
    });
  } finally {
    await worker.terminate();
  }
}
