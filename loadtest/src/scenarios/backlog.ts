/**
 * How fast a backlog is applied: with the link cut, updates of every key are written and reach the origin's own log;
 * the link heals, and the rate is that from the first of them applied to the last. The anchors are Postgres's own logical
 * replication of the same number of rows on the same two servers, once in one-row transactions and once in large ones,
 * which cost it much less for each row; all three take turns.
 */
import { type AppliedReading, untilApplied } from '../applied.ts';
import { LoadError } from '../errors.ts';
import { type Anchor, measure, ratios, spreadOf } from '../measure.ts';
import { NativeReplication } from '../peers/native-replication.ts';
import { untilPublished } from '../published.ts';
import type { Context, Effort, Findings, Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';

const applyTimeoutMs = 180_000;
const rowsOfLarge = 500;

interface Round {
  readonly perS: number;
  readonly firstAfterMs: number;
}

/** One run: ours, and rows a second of native replication in one-row and in large transactions. */
export interface BacklogRun {
  readonly ours: Round;
  readonly nativePerS: number;
  readonly nativeBatchedPerS: number;
}

export const backlog: Scenario = {
  name: 'backlog',
  run: async (context) => {
    const { demo, workload, effort, say } = context;
    const servers = { origin: demo.origin.database, target: demo.target.database };
    const native = await NativeReplication.open(servers, workload);
    const runs: BacklogRun[] = [];
    try {
      for (let run = 0; run < effort.runs; run++) {
        const found = await oneRun(context, native);
        say(
          `  run ${run + 1}: applied ${found.ours.perS.toFixed(0)}/s, native replication ${found.nativePerS.toFixed(0)}/s, ` +
            `of ${rowsOfLarge}-row transactions ${found.nativeBatchedPerS.toFixed(0)}/s`,
        );
        runs.push(found);
      }
      if (!(await native.isSame()))
        throw new LoadError('unexpected-answer', 'native replication left the two sides different');
    } finally {
      await demo.setLink('ok');
      await native.close();
    }
    return backlogFindings(runs, effort);
  },
};

async function oneRun(context: Context, native: NativeReplication): Promise<BacklogRun> {
  const { demo, effort } = context;
  const ours = await oneRound(context);
  await settle(demo);
  const nativePerS = await native.round(effort.backlogUpdates, 1);
  const nativeBatchedPerS = await native.round(effort.backlogUpdates, rowsOfLarge);
  return { ours, nativePerS, nativeBatchedPerS };
}

export function backlogFindings(
  runs: readonly BacklogRun[],
  { backlogUpdates, keyCount }: Pick<Effort, 'backlogUpdates' | 'keyCount'>,
): Findings {
  const rates = runs.map(({ ours }) => ours.perS);
  const ofOne = runs.map(({ nativePerS }) => nativePerS);
  const ofMany = runs.map(({ nativeBatchedPerS }) => nativeBatchedPerS);
  return {
    measures: [
      measure('apply_ratio_to_native', 'ratio', ratios(rates, ofOne), anchorOf('one-row', ofOne)),
      measure(
        'apply_ratio_to_native_batched',
        'ratio',
        ratios(rates, ofMany),
        anchorOf(`${rowsOfLarge}-row`, ofMany),
      ),
      measure('backlog_applied_per_s', 'changes/s', rates),
      measure(
        'heal_to_first_applied_ms',
        'ms',
        runs.map(({ ours }) => ours.firstAfterMs),
      ),
    ],
    notes: [
      `${backlogUpdates} updates on ${keyCount} keys. Our rows come through the link's proxy, native ones do not.`,
    ],
    plots: [
      {
        kind: 'bars',
        title: 'Applying a backlog',
        unit: 'records/s',
        bars: [
          { name: 'Isthmus', ...spreadOf(rates) },
          { name: 'native, one-row transactions', ...spreadOf(ofOne) },
          { name: `native, ${rowsOfLarge}-row transactions`, ...spreadOf(ofMany) },
        ],
      },
    ],
  };
}

function anchorOf(size: string, values: readonly number[]): Anchor {
  return { name: `native logical replication, ${size} transactions`, unit: 'rows/s', ...spreadOf(values) };
}

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
