/**
 * How long two regions take to be equal again after a cut in which both were written: single writes at a steady rate over
 * HTTP on both sides, on the same keys, then the time from healing the link to the first equal digests of the collection.
 * The anchor is the time in which Postgres's own logical replication applies as many one-row transactions one way, on the
 * same two servers in the same run.
 */
import type { DemoRegion } from '../demo.ts';
import { untilEqual } from '../digests.ts';
import { LoadError } from '../errors.ts';
import { HttpLanes } from '../http-lane.ts';
import { measure, ratios, spreadOf } from '../measure.ts';
import { openLoop } from '../open-loop.ts';
import { NativeReplication } from '../peers/native-replication.ts';
import type { Context, Effort, Findings, Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { putOne } from '../writes.ts';

const lanesOfRegion = 16;
const drainMs = 20_000;
const equalTimeoutMs = 600_000;

interface Round {
  readonly equalMs: number;
  /** Acknowledged on both sides; above 0. */
  readonly writes: number;
  /** Acknowledged over due. */
  readonly held: number;
}

export interface CutRun extends Round {
  readonly nativeMs: number;
}

export const cut: Scenario = {
  name: 'cut',
  run: async (context) => {
    const { demo, workload, effort, say } = context;
    const servers = { origin: demo.origin.database, target: demo.target.database };
    const native = await NativeReplication.open(servers, workload);
    const runs: CutRun[] = [];
    try {
      for (let run = 0; run < effort.runs; run++) {
        await settle(demo);
        const round = await oneRound(context);
        await settle(demo);
        const nativeMs = (round.writes * 1000) / (await native.round(round.writes, 1));
        runs.push({ ...round, nativeMs });
        say(
          `  run ${run + 1}: ${round.writes} writes, equal ${Math.round(round.equalMs)} ms after the heal; ` +
            `native replication of as many ${Math.round(nativeMs)} ms`,
        );
      }
    } finally {
      await demo.setLink('ok');
      await native.close();
    }
    return cutFindings(runs, effort);
  },
};

export function cutFindings(
  runs: readonly CutRun[],
  { cutMs, cutPerS, keyCount }: Pick<Effort, 'cutMs' | 'cutPerS' | 'keyCount'>,
): Findings {
  const equalMs = runs.map((run) => run.equalMs);
  const nativeMs = runs.map((run) => run.nativeMs);
  const anchor = {
    name: 'native logical replication of as many one-row transactions, one way',
    unit: 'ms',
    ...spreadOf(nativeMs),
  };
  return {
    measures: [
      measure('heal_to_equal_ratio_to_native', 'ratio', ratios(equalMs, nativeMs), anchor),
      measure('heal_to_equal_ms', 'ms', equalMs),
      measure(
        'heal_to_equal_ms_per_100k',
        'ms / 100,000 changes',
        runs.map((run) => (run.equalMs * 100_000) / run.writes),
      ),
      measure(
        'cut_writes_held',
        'acknowledged / due',
        runs.map(({ held }) => held),
      ),
    ],
    notes: [
      `A cut of ${cutMs / 1000} s with ${cutPerS} writes/s on each side, on ${keyCount} keys that both write.`,
    ],
    plots: [],
  };
}

async function oneRound(context: Context): Promise<Round> {
  const { demo, effort } = context;
  await demo.setLink('cut');
  const sides = await Promise.all([demo.origin, demo.target].map((region) => write(context, region)));
  await demo.setLink('ok');
  const healedMs = performance.now();
  await untilEqual([demo.origin.admin, demo.target.admin], equalTimeoutMs);
  const writes = sides.reduce((sum, { done }) => sum + done, 0);
  const due = sides.reduce((sum, side) => sum + side.due, 0);
  if (writes === 0)
    throw new LoadError('unexpected-answer', `none of ${due} writes was taken in ${effort.cutMs} ms`);
  return { equalMs: performance.now() - healedMs, writes, held: writes / due };
}

async function write(
  { workload, effort }: Context,
  region: DemoRegion,
): Promise<{ readonly due: number; readonly done: number }> {
  const lanes = new HttpLanes(region.api, lanesOfRegion);
  try {
    return await openLoop({
      ratePerS: effort.cutPerS,
      durationMs: effort.cutMs,
      maxOutstanding: effort.cutPerS,
      drainMs,
      send: () => putOne(lanes, workload.next()),
    });
  } finally {
    lanes.close();
  }
}
