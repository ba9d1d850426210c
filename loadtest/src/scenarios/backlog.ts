/**
 * How fast a backlog is applied: with the link cut, updates of every key are written and reach the origin's own log;
 * the link heals, and the rate is that from the first of them applied to the last. The anchor is Postgres's own logical
 * replication of the same number of one-row transactions on the same two servers, in alternating rounds.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type AppliedReading, untilApplied } from '../applied.ts';
import { LoadError } from '../errors.ts';
import { measure, ratios, spreadOf } from '../measure.ts';
import { NativeReplication } from '../peers/native-replication.ts';
import type { Context, Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';

const applyTimeoutMs = 180_000;
const publishTimeoutMs = 120_000;
const publishPollMs = 100;
/** Beats alone keep the slot this close to the end. */
const publishedBelowBytes = 2 * 1024 * 1024;

interface Round {
  readonly perS: number;
  readonly firstAfterMs: number;
}

export const backlog: Scenario = {
  name: 'backlog',
  run: async (context) => {
    const { demo, workload, effort, say } = context;
    const servers = { origin: demo.origin.database, target: demo.target.database };
    const native = await NativeReplication.open(servers, workload);
    const ours: Round[] = [];
    const theirs: number[] = [];
    try {
      for (let run = 0; run < effort.runs; run++) {
        ours.push(await oneRound(context));
        await settle(demo);
        theirs.push(await native.round(effort.backlogUpdates));
        say(
          `  run ${run + 1}: applied ${ours.at(-1)?.perS.toFixed(0)}/s, native replication ${theirs.at(-1)?.toFixed(0)}/s`,
        );
      }
      if (!(await native.isSame()))
        throw new LoadError('unexpected-answer', 'native replication left the two sides different');
    } finally {
      await demo.setLink('ok');
      await native.close();
    }
    const rates = ours.map(({ perS }) => perS);
    const anchor = {
      name: 'native logical replication, one-row transactions',
      unit: 'rows/s',
      ...spreadOf(theirs),
    };
    return {
      measures: [
        measure('apply_ratio_to_native', 'ratio', ratios(rates, theirs), anchor),
        measure('backlog_applied_per_s', 'changes/s', rates),
        measure(
          'heal_to_first_applied_ms',
          'ms',
          ours.map(({ firstAfterMs }) => firstAfterMs),
        ),
      ],
      notes: [
        `${effort.backlogUpdates} updates on ${effort.keyCount} keys. Our rows come through the link's proxy, native ones do not.`,
      ],
      plots: [
        {
          kind: 'bars',
          title: 'Applying a backlog',
          unit: 'records/s',
          bars: [
            { name: 'Isthmus', ...spreadOf(rates) },
            { name: 'native logical replication', ...spreadOf(theirs) },
          ],
        },
      ],
    };
  },
};

async function oneRound({ demo, writer, effort }: Context): Promise<Round> {
  const base = await settle(demo);
  await demo.setLink('cut');
  const written = await writer.write(effort.backlogUpdates);
  await untilPublished(demo.origin.admin);
  await demo.setLink('ok');
  const healedMs = performance.now();
  const readings = await untilApplied(demo, { base, count: written.acknowledged, timeoutMs: applyTimeoutMs });
  return roundOf(readings, { base, healedMs });
}

/** From the last reading at which nothing was applied. */
export function roundOf(
  readings: readonly AppliedReading[],
  { base, healedMs }: { readonly base: number; readonly healedMs: number },
): Round {
  const last = readings.at(-1);
  const started = readings.findLast(({ changes }) => changes <= base)?.atMs ?? healedMs;
  if (last === undefined || last.atMs <= started)
    throw new LoadError('not-in-time', 'the backlog was applied before it could be watched');
  return { perS: ((last.changes - base) * 1000) / (last.atMs - started), firstAfterMs: started - healedMs };
}

/** The slot retains what the relay has not yet handed to the log. */
async function untilPublished(admin: string): Promise<void> {
  const endMs = performance.now() + publishTimeoutMs;
  for (;;) {
    const text = await (await fetch(`${admin}/metrics`)).text();
    const retained = /^isthmus_retained_wal_bytes (\S+)$/m.exec(text)?.[1];
    if (retained !== undefined && Number(retained) < publishedBelowBytes) return;
    if (performance.now() > endMs)
      throw new LoadError('not-in-time', `the backlog was not published within ${publishTimeoutMs} ms`);
    await delay(publishPollMs);
  }
}
