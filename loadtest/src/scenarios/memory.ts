/**
 * Resident memory of the region processes under a steady load of batches: the larger of the two regions counts. Flat
 * means that the mean of the last third of a run is what that of its first third was. Each run goes on where the one
 * before it ended, so growth over runs shows as well.
 */
import type { Demo } from '../demo.ts';
import { readResidentMb } from '../machine/proc.ts';
import { type Measure, measure } from '../measure.ts';
import type { Context, Scenario } from '../scenario.ts';
import { httpBatches } from './http-batch.ts';
import { stretch } from './sustain.ts';

const fallbackPerS = 3_000;
/** Below what is sustained, so that nothing piles up. */
const loadShare = 0.8;
const highestPerS = 12_000;

export const memory: Scenario = {
  name: 'memory',
  run: async (context) => {
    const { effort, rates, demo } = context;
    const sustained = rates.get('sustained_http_batch_per_s');
    const ratePerS = Math.min(highestPerS, sustained === undefined ? fallbackPerS : sustained * loadShare);
    const batches = httpBatches(context);
    const highest: number[] = [];
    const growth: number[] = [];
    const curve: [number, number][] = [];
    const startMs = performance.now();
    try {
      for (let run = 0; run < effort.runs; run++) {
        const samples = await oneRun(context, batches.drive, ratePerS);
        highest.push(Math.max(...samples.map(({ mb }) => mb)));
        growth.push(growthOf(samples.map(({ mb }) => mb)));
        for (const { atMs, mb } of samples) curve.push([(atMs - startMs) / 1000, mb]);
        context.say(
          `  run ${run + 1}: ${highest.at(-1)?.toFixed(0)} MB, ${growth.at(-1)?.toFixed(2)} times its beginning`,
        );
      }
    } finally {
      batches.close();
    }
    return {
      measures: [
        measure('region_rss_mb', 'MiB', highest),
        measure('region_rss_growth', 'last third / first third', growth),
      ],
      notes: [`Memory was read at ${Math.round(ratePerS)} changes/s of batches into ${demo.origin.region}.`],
      plots: [
        {
          kind: 'over-time',
          title: 'Resident memory of the larger region process',
          unit: 'MiB',
          series: [{ name: 'resident', points: curve }],
        },
      ],
    };
  },
};

async function oneRun(
  context: Context,
  drive: Parameters<typeof stretch>[1]['drive'],
  ratePerS: number,
): Promise<readonly { readonly atMs: number; readonly mb: number }[]> {
  const samples: { atMs: number; mb: number }[] = [];
  const watch = async (): Promise<void> => {
    samples.push({ atMs: performance.now(), mb: await largestRegionMb(context.demo) });
  };
  const load = { ratePerS: Math.round(ratePerS), durationMs: context.effort.stretchMs };
  await stretch(context, { startPerS: ratePerS, drive, watch }, load);
  return samples;
}

/** Mean of the last third over mean of the first; 1 is flat. */
export function growthOf(values: readonly number[]): number {
  const third = Math.max(1, Math.floor(values.length / 3));
  const mean = (part: readonly number[]): number =>
    part.reduce((sum, value) => sum + value, 0) / Math.max(1, part.length);
  return mean(values.slice(-third)) / Math.max(1, mean(values.slice(0, third)));
}

/** MiB; 0 where none can be read. */
export async function largestRegionMb(demo: Demo): Promise<number> {
  const regions = (await demo.processes()).filter((each) => each.process === 'region');
  const sizes = await Promise.all(regions.map(({ pid }) => readResidentMb(pid)));
  return Math.max(0, ...sizes.map((size) => size ?? 0));
}

/** Of a demo that has not yet done anything. */
export async function idleMeasure(demo: Demo, runs: number, pause: () => Promise<void>): Promise<Measure> {
  const sizes: number[] = [];
  for (let run = 0; run < runs; run++) {
    await pause();
    sizes.push(await largestRegionMb(demo));
  }
  return measure('region_rss_idle_mb', 'MiB', sizes);
}
