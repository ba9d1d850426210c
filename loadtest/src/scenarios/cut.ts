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
import type { Context, Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { putOne } from '../writes.ts';

const lanesOfRegion = 16;
const drainMs = 20_000;
const equalTimeoutMs = 600_000;

interface Round {
  readonly equalMs: number;
  readonly writes: number;
  /** Acknowledged over due. */
  readonly held: number;
}

export const cut: Scenario = {
  name: 'cut',
  run: async (context) => {
    const { demo, workload, effort, say } = context;
    const servers = { origin: demo.origin.database, target: demo.target.database };
    const native = await NativeReplication.open(servers, workload);
    const ours: Round[] = [];
    const theirsMs: number[] = [];
    try {
      for (let run = 0; run < effort.runs; run++) {
        await settle(demo);
        const round = await oneRound(context);
        ours.push(round);
        await settle(demo);
        theirsMs.push((round.writes * 1000) / (await native.round(round.writes, 1)));
        say(
          `  run ${run + 1}: ${round.writes} writes, equal ${Math.round(round.equalMs)} ms after the heal; ` +
            `native replication of as many ${Math.round(theirsMs.at(-1) ?? 0)} ms`,
        );
      }
    } finally {
      await demo.setLink('ok');
      await native.close();
    }
    const equalMs = ours.map((round) => round.equalMs);
    const anchor = {
      name: 'native logical replication of as many one-row transactions, one way',
      unit: 'ms',
      ...spreadOf(theirsMs),
    };
    return {
      measures: [
        measure('heal_to_equal_ratio_to_native', 'ratio', ratios(equalMs, theirsMs), anchor),
        measure('heal_to_equal_ms', 'ms', equalMs),
        measure(
          'cut_writes_held',
          'acknowledged / due',
          ours.map(({ held }) => held),
        ),
      ],
      notes: [
        `A cut of ${effort.cutMs / 1000} s with ${effort.cutPerS} writes/s on each side, on ${effort.keyCount} keys that both write.`,
      ],
      plots: [],
    };
  },
};

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
