/**
 * A transfer of many records to an empty region, and what it does to the donor: records a second until the joining region
 * has no transfer left and shows the same digest, beside the first copy of native logical replication; and the latency of
 * single writes at the donor at a low steady rate, before and during the transfer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { untilEqual } from './digests.ts';
import { LoadError } from './errors.ts';
import { HttpLanes } from './http-lane.ts';
import { type JoiningPair, startJoiningPair } from './joining-pair.ts';
import { measure, ratios, spreadOf } from './measure.ts';
import { openLoop, type OpenLoopResult } from './open-loop.ts';
import { initialCopy } from './peers/initial-copy.ts';
import { untilPublished } from './published.ts';
import type { Findings } from './scenario.ts';
import { Workload } from './workload.ts';
import { batchSize, putBatch, putOne } from './writes.ts';

const fillers = 8;
const besideLanes = 8;
const besidePerS = 50;
/** A thousand writes, of which ten are slower than the p99. */
const calmMs = 20_000;
const drainMs = 20_000;
const pollMs = 200;
const timeoutMs = 1_200_000;

const transfers = z.object({ transfers: z.array(z.object({ state: z.string(), merged: z.number() })) });

export interface TransferOptions {
  readonly records: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export async function measureTransfer({ records, seed, say }: TransferOptions): Promise<Findings> {
  const pair = await startJoiningPair();
  const workload = new Workload(seed, records);
  try {
    say(`  writing ${records} records into the donor`);
    await fill(pair, workload);
    await untilPublished(pair.donor.admin);
    const before = await beside(pair, workload, { durationMs: calmMs });
    say('  joining the empty region');
    const { perS, during } = await join(pair, workload);
    const theirs = await initialCopy(pair.databases, records, Math.round(workload.meanBytes));
    const [calmP99Ms, busyP99Ms] = [before.latency.summary().p99Ms, during.latency.summary().p99Ms];
    say(
      `  ${perS.toFixed(0)} records/s, native copy ${theirs.toFixed(0)} rows/s; donor p99 ${calmP99Ms.toFixed(1)} ms before, ${busyP99Ms.toFixed(1)} ms during`,
    );
    const found = transferFindings({ records, perS, nativePerS: theirs, calmP99Ms, busyP99Ms });
    return { ...found, notes: [...found.notes, ...lossNotes([before, during])] };
  } finally {
    await pair.stop();
  }
}

export interface TransferRun {
  readonly records: number;
  /** Records a second, ours and of the native copy. */
  readonly perS: number;
  readonly nativePerS: number;
  /** Of single writes at the donor, before and during the transfer. */
  readonly calmP99Ms: number;
  readonly busyP99Ms: number;
}

export function transferFindings({ records, perS, nativePerS, calmP99Ms, busyP99Ms }: TransferRun): Findings {
  const anchor = {
    name: 'first copy of native logical replication',
    unit: 'rows/s',
    ...spreadOf([nativePerS]),
  };
  const before = { name: 'before the transfer', unit: 'ms', ...spreadOf([calmP99Ms]) };
  return {
    measures: [
      measure('transfer_ratio_to_native_copy', 'ratio', ratios([perS], [nativePerS]), anchor),
      measure('transfer_records_per_s', 'records/s', [perS]),
      measure('donor_write_p99_ratio', 'ratio', ratios([busyP99Ms], [calmP99Ms]), before),
      measure('donor_write_p99_before_ms', 'ms', [calmP99Ms]),
      measure('donor_write_p99_in_transfer_ms', 'ms', [busyP99Ms]),
    ],
    notes: [`${records} records to an empty region, while ${besidePerS} single writes/s went to the donor.`],
    plots: [],
  };
}

async function fill({ donor }: JoiningPair, workload: Workload): Promise<void> {
  const lanes = new HttpLanes(donor.api, fillers);
  let left = Math.ceil(workload.keyCount / batchSize);
  const endMs = performance.now() + timeoutMs;
  const filler = async (): Promise<void> => {
    while (left-- > 0) {
      try {
        await putBatch(lanes, workload);
      } catch (reason) {
        // A region that is overloaded says so, and takes the batch later; the keys of this one come again at the end.
        if (performance.now() > endMs) throw reason;
        left++;
        await delay(pollMs);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: fillers }, filler));
  } finally {
    lanes.close();
  }
}

/** Writes at the steady rate for so long, or until the signal. */
async function beside(
  { donor }: JoiningPair,
  workload: Workload,
  until: { readonly durationMs: number; readonly signal?: AbortSignal },
): Promise<OpenLoopResult> {
  const lanes = new HttpLanes(donor.api, besideLanes);
  try {
    return await openLoop({
      ratePerS: besidePerS,
      ...until,
      maxOutstanding: besidePerS * 10,
      drainMs,
      send: () => putOne(lanes, workload.next()),
    });
  } finally {
    lanes.close();
  }
}

interface Joined {
  readonly perS: number;
  readonly during: OpenLoopResult;
}

/** What is written counts until the transfer has ended, so that no calm moment is in it. */
async function join(pair: JoiningPair, workload: Workload): Promise<Joined> {
  const target = await pair.join();
  const startMs = performance.now();
  const ended = new AbortController();
  const writing = beside(pair, workload, { durationMs: timeoutMs, signal: ended.signal });
  try {
    await untilEnded(target.admin);
    const perS = (workload.keyCount * 1000) / (performance.now() - startMs);
    ended.abort();
    const during = await writing;
    await untilEqual([pair.donor.admin, target.admin], timeoutMs);
    return { perS, during };
  } finally {
    ended.abort();
    await writing;
  }
}

/** What was not answered has no latency, so it must be said. */
function lossNotes(parts: readonly OpenLoopResult[]): readonly string[] {
  const lost = parts.reduce((sum, { failed, dropped }) => sum + failed + dropped, 0);
  const first = parts.find(({ firstFailure }) => firstFailure !== null)?.firstFailure ?? 'none failed';
  return lost === 0 ? [] : [`${lost} OF THE WRITES BESIDE IT FAILED OR WERE NOT SENT (first: ${first}).`];
}

/** A region that has no identity yet answers 503. */
async function hasEnded(admin: string): Promise<boolean> {
  const response = await fetch(`${admin}/v1/transfers`);
  if (!response.ok) return false;
  const found = transfers.parse(await response.json()).transfers;
  const merged = found.reduce((sum, each) => sum + each.merged, 0);
  return merged > 0 && found.every(({ state }) => state === 'done');
}

async function untilEnded(admin: string): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await hasEnded(admin))) {
    if (performance.now() > endMs)
      throw new LoadError('not-in-time', `the transfer had not ended within ${timeoutMs} ms`);
    await delay(pollMs);
  }
}
