/**
 * Resident memory against what a region holds: with many records at rest, while both regions take the digest of all of
 * them, and with as many changes that wait behind a cut, from the cut until the peer has applied them. Flat means that
 * neither is more than the same processes had before any load, so the larger region process counts each time, over
 * that reading. It leaves its records and their keys behind, so it comes after every other scenario.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { untilApplied } from '../applied.ts';
import type { Demo } from '../demo.ts';
import { untilEqual } from '../digests.ts';
import { LoadError } from '../errors.ts';
import { type Measure, measure } from '../measure.ts';
import { untilPublished } from '../published.ts';
import type { Context, Findings, Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { largestRegionMb } from './memory.ts';
import { sampleWhile } from './sustain.ts';

const pieceSize = 50_000;
const applyTimeoutMs = 600_000;
const equalTimeoutMs = 600_000;

export interface HeldRun {
  /** Of the larger region process: with the records at rest, and the highest of the backlog. */
  readonly recordsMb: number;
  readonly backlogMb: number;
}

interface Reading {
  readonly atMs: number;
  readonly mb: number;
}

export const held: Scenario = {
  name: 'held',
  run: async (context) => {
    const { demo, writer, effort, idle, say } = context;
    if (idle === null)
      throw new LoadError('not-in-time', 'there is no reading of the idle demo to compare with');
    const runs: HeldRun[] = [];
    const readings: Reading[] = [];
    const fewMb = await largestAtRest(context, readings);
    await writer.drawFrom(effort.heldRecords);
    try {
      for (let run = 0; run < effort.runs; run++) {
        const found = await oneRun(context, readings);
        say(
          `  run ${run + 1}: ${found.recordsMb.toFixed(0)} MB with the records, ${found.backlogMb.toFixed(0)} with the backlog; idle ${idle.median.toFixed(0)}`,
        );
        runs.push(found);
      }
    } finally {
      await demo.setLink('ok');
    }
    const { measures } = heldFindings({ idle, fewMb }, runs);
    const [first] = readings;
    return {
      measures,
      notes: [
        `${effort.heldRecords} records and as many changes behind a cut; with the first ${effort.keyCount} records it was ${fewMb.toFixed(0)} MiB.`,
      ],
      plots: [
        {
          kind: 'over-time',
          title: 'Resident memory of the larger region process, with the records and with the backlog',
          unit: 'MiB',
          series: [
            {
              name: 'resident',
              points: readings.map(({ atMs, mb }) => [(atMs - (first?.atMs ?? 0)) / 1000, mb] as const),
            },
          ],
        },
      ],
    };
  },
};

/** Each run's readings over the idle one, and over the one with few records of processes that have worked already. */
export function heldFindings(
  { idle, fewMb }: { readonly idle: Measure; readonly fewMb: number },
  runs: readonly HeldRun[],
): Pick<Findings, 'measures'> {
  const { median, min, max } = idle;
  const anchor = { name: 'before any load', unit: idle.unit, median, min, max, runs: idle.runs };
  const recordsMb = runs.map((run) => run.recordsMb);
  const backlogMb = runs.map((run) => run.backlogMb);
  const over = (baseMb: number, values: readonly number[]): readonly number[] =>
    values.map((mb) => mb / baseMb);
  return {
    measures: [
      measure('region_rss_ratio_records', 'ratio', over(median, recordsMb), anchor),
      measure('region_rss_ratio_backlog', 'ratio', over(median, backlogMb), anchor),
      measure('region_rss_growth_records', 'with many / with few records', over(fewMb, recordsMb)),
      measure('region_rss_records_mb', 'MiB', recordsMb),
      measure('region_rss_backlog_mb', 'MiB', backlogMb),
    ],
  };
}

async function oneRun(context: Context, readings: Reading[]): Promise<HeldRun> {
  const { demo, effort, say } = context;
  await inPieces(effort.heldRecords, (piece, done) => {
    say(`  ${done} of ${effort.heldRecords} records written`);
    return writeAndApply(context, piece);
  });
  const recordsMb = await largestAtRest(context, readings);
  const backlogMb = await largestWhile(context, readings, backlogBehindCut(context));
  await equalDigests(demo);
  return { recordsMb, backlogMb };
}

/** With what is there now: after a rest, while both regions take the digest of it. */
async function largestAtRest(context: Context, readings: Reading[]): Promise<number> {
  const { demo, effort, say } = context;
  await settle(demo);
  say(`  at rest for ${effort.restMs / 1000} s, then digests`);
  await delay(effort.restMs);
  return largestWhile(context, readings, equalDigests(demo));
}

function equalDigests({ origin, target }: Demo): Promise<void> {
  return untilEqual([origin.admin, target.admin], equalTimeoutMs);
}

async function writeAndApply({ demo, writer }: Context, count: number): Promise<void> {
  const base = await settle(demo);
  const { acknowledged } = await writer.write(count);
  await untilApplied(demo, { base, count: acknowledged, timeoutMs: applyTimeoutMs });
}

async function backlogBehindCut({ demo, writer, effort, say }: Context): Promise<void> {
  const base = await settle(demo);
  await demo.setLink('cut');
  let acknowledged = 0;
  await inPieces(effort.heldRecords, async (piece, done) => {
    say(`  ${done} of ${effort.heldRecords} changes wait behind the cut`);
    acknowledged += (await writer.write(piece)).acknowledged;
    await untilPublished(demo.origin.admin);
  });
  say('  the link heals');
  await demo.setLink('ok');
  await untilApplied(demo, { base, count: acknowledged, timeoutMs: applyTimeoutMs });
}

/** The highest reading while it runs, and once after it. */
async function largestWhile({ demo }: Context, readings: Reading[], work: Promise<void>): Promise<number> {
  const read = async (): Promise<Reading> => {
    const mb = await largestRegionMb(demo);
    return { atMs: performance.now(), mb };
  };
  const found = [...(await sampleWhile(work, read))];
  await work;
  found.push(await read());
  readings.push(...found);
  return Math.max(...found.map(({ mb }) => mb));
}

/** One piece after the other; `done` is what the pieces before it came to. */
export async function inPieces(
  total: number,
  work: (piece: number, done: number) => Promise<void>,
): Promise<void> {
  for (let done = 0; done < total; done += pieceSize) await work(Math.min(pieceSize, total - done), done);
}
