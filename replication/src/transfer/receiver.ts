/**
 * Runs one transfer to its end: the shell around `receiver-machine.ts`. It asks the donor, compares with the own
 * records, merges in bounded transactions and raises the positions, at a bounded rate of bytes. An answer that does
 * not fit the question, or would leave a part of the records out, counts as no answer. Stopping it at any point loses
 * nothing: where it stood is noted with the job.
 */
import { pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { partitionOf } from '../log/partition.ts';
import type { RecordId } from '../ports/change.ts';
import type { Clock } from '../ports/clock.ts';
import type { NextRange, RecordRange } from '../ports/record-reader.ts';
import type { StoredRecord } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import type { TransferJob, TransferJobs } from '../ports/transfer-jobs.ts';
import type { Offer, TransferAnswer, TransferPeer } from '../ports/transfer-peer.ts';
import type { RaiseTransaction, Standing, TransferStore } from '../ports/transfer-store.ts';
import type { Vector, WholePast } from '../ports/vector.ts';
import { othersIn, type Self } from '../reach.ts';
import { beyond, lacking } from '../vector.ts';
import type { DamagedRecords } from './damaged-records.ts';
import { givenPasts } from './given-pasts.ts';
import { decideMerge, decideRaise } from './merge-states.ts';
import type { ReceiverEffect, ReceiverInput, ReceiverState, TransferOutcome } from './receiver-machine.ts';
import { isBeginning, startReceiver, stepReceiver } from './receiver-machine.ts';
import { requireAscending, requireFetched, unexpected } from './trust.ts';

export interface ReceiverOptions {
  readonly self: Self;
  readonly peer: TransferPeer;
  readonly store: TransferStore;
  readonly jobs: Pick<TransferJobs, 'note'>;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly maxDriftMs: number;
  readonly damaged: Pick<DamagedRecords, 'givesWay'>;
  readonly signal: AbortSignal;
}

export interface Received {
  readonly outcome: TransferOutcome;
  /** States that were put aside; one that came twice is counted twice. */
  readonly refused: number;
  /** The donor lost its slot after what we had of it: what is missing was never in its log. */
  readonly isSlotLost: boolean;
}

const maxHave = 2048;
const maxRecords = 500;
const maxMergeBytes = 1024 * 1024;
const bytesPerSecond = 32 * 1024 * 1024;

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #job: TransferJob;
  #offer: Offer | null = null;
  #isSlotLost = false;
  /** Of the offer under which the first record was compared here; a job that is gone on with knows none. */
  #whole: readonly WholePast[] = [];

  constructor(job: TransferJob, options: ReceiverOptions) {
    this.#job = job;
    this.#options = options;
  }

  /** Rejects with nothing but bugs. */
  async run(): Promise<Received> {
    let [state, effect] = startReceiver(this.#job.place);
    while (state.kind !== 'ended') {
      await this.#noted(state);
      const input = await this.#tried(effect);
      if (this.#options.signal.aborted) break;
      [state, effect] = stepReceiver(state, input, this.#job);
    }
    await this.#letGo();
    const closing: TransferOutcome = { kind: 'postponed', detail: 'the process was closing' };
    return {
      outcome: state.kind === 'ended' ? state.outcome : closing,
      refused: state.place.counts.refused,
      isSlotLost: this.#isSlotLost,
    };
  }

  /** Once for every reading of ranges, and before the end. */
  async #noted(state: ReceiverState): Promise<void> {
    if (state.kind !== 'ranging' && state.kind !== 'raising') return;
    try {
      await this.#options.jobs.note(this.#job.id, state.place);
    } catch (reason) {
      // What is not noted is done once more by whoever goes on.
      if (!(reason instanceof ReplicationError)) throw reason;
    }
  }

  async #tried(effect: ReceiverEffect): Promise<ReceiverInput> {
    try {
      return await this.#perform(effect);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      return { kind: 'failed', detail: reason.message };
    }
  }

  #perform(effect: ReceiverEffect): Promise<ReceiverInput> {
    switch (effect.kind) {
      case 'open':
        return this.#open(effect);
      case 'ranges':
        return this.#ranges(effect.offer, effect.after);
      case 'compare':
        return this.#compare(effect.range, effect.expected);
      case 'fetch':
        return this.#fetch(effect.offer, effect.range, effect.have);
      case 'merge':
        return this.#merge(effect.offer, effect.records);
      case 'raise':
        return this.#raise(effect.offer, effect);
      case 'end':
        throw unexpected('nothing follows the end');
    }
  }

  async #open({ afterMs, begun }: Extract<ReceiverEffect, { kind: 'open' }>): Promise<ReceiverInput> {
    const { timer, signal, store, clock, maxDriftMs } = this.#options;
    await this.#letGo();
    if (afterMs > 0) await pause(timer, afterMs, signal);
    const answer = await this.#ask({ kind: 'open' });
    if (answer.kind !== 'offer') return refusedOr(answer);
    const { offer } = answer;
    this.#offer = offer;
    if (offer.region !== this.#job.donor) throw unexpected(`an offer of ${offer.region}`);
    const aheadMs = Math.round(offer.floorMs - clock.nowMs() - maxDriftMs);
    // Taken over, it would stamp every record that is written first here, and others would refuse them (P3).
    if (!this.#job.isDryRun && aheadMs > 0) {
      const detail = `the donor's floor of stamps lies ${aheadMs} ms beyond the drift bound`;
      return { kind: 'failed', detail };
    }
    const standing = await store.standing();
    const others = (vector: Vector): Vector => othersIn(vector, this.#options.self);
    const isBelow = !standing.isEmpty && lacking(reachedBy(standing, begun), others(offer.horizon)) !== null;
    this.#isSlotLost ||= isLostSince(offer, standing.applied);
    const mayCome = beyond(others(offer.ahead), standing.settled);
    if (!this.#job.isDryRun && mayCome.length > 0) await store.expect(mayCome);
    const isDonorBelow = lacking(offer.vector, standing.horizon) !== null;
    return { kind: 'offered', offer, isBelow, isDonorBelow };
  }

  async #ranges({ snapshot, whole }: Offer, after: RecordId): Promise<ReceiverInput> {
    if (isBeginning(after)) this.#whole = whole;
    if (isBeginning(after) && !this.#job.isDryRun) await this.#options.store.beginPass(this.#job.id);
    const answer = await this.#ask({ kind: 'ranges', snapshot, after });
    if (answer.kind !== 'ranges') return refusedOr(answer);
    requireAscending(after, answer.ranges);
    return { kind: 'ranges', ranges: answer.ranges };
  }

  async #compare(range: RecordRange, expected: NextRange | null): Promise<ReceiverInput> {
    const { store } = this.#options;
    if (expected !== null) {
      const own = await store.digest(range);
      if (own.records === expected.records && Buffer.compare(own.digest, expected.digest) === 0)
        return { kind: 'equal' };
    }
    const { records, through: until } = await store.hashes(range, maxHave);
    return { kind: 'differs', range: { after: range.after, until }, have: records.map(({ hash }) => hash) };
  }

  async #fetch({ snapshot }: Offer, range: RecordRange, have: readonly Uint8Array[]): Promise<ReceiverInput> {
    const answer = await this.#ask({ kind: 'fetch', snapshot, range, have });
    if (answer.kind !== 'records') return refusedOr(answer);
    requireFetched(range, answer.fetched);
    const bytes = answer.fetched.records.reduce((sum, { state }) => sum + state.length, 0);
    const { timer, signal } = this.#options;
    if (bytes > 0) await pause(timer, (bytes / bytesPerSecond) * 1000, signal);
    return { kind: 'records', fetched: answer.fetched, bytes };
  }

  async #merge({ vector, whole }: Offer, records: readonly StoredRecord[]): Promise<ReceiverInput> {
    const { store, clock, maxDriftMs, damaged } = this.#options;
    let [merged, refused] = [0, 0];
    for (const part of cut(records)) {
      let [writes, refusals] = [0, 0];
      const isMerged = await store.merge({
        job: this.#job.id,
        ids: part.map(({ collection, key }) => ({ collection, key })),
        decide: (locked) => {
          const latestStampMs = clock.nowMs() + maxDriftMs;
          const decision = decideMerge(part, locked, {
            vector,
            latestStampMs,
            givesWay: (stored, shown) => damaged.givesWay(stored, { ...shown, whole }),
          });
          [writes, refusals] = [decision?.writes.length ?? 0, decision?.refused.length ?? 0];
          return decision;
        },
      });
      if (!isMerged) return { kind: 'below-horizon' };
      [merged, refused] = [merged + writes, refused + refusals];
    }
    return { kind: 'merged', merged, refused };
  }

  async #raise(
    { floorMs }: Offer,
    { vector, beats }: Pick<RaiseTransaction, 'vector' | 'beats'>,
  ): Promise<ReceiverInput> {
    const { store, self } = this.#options;
    const { id, donor } = this.#job;
    const isRaised = await store.raise({
      region: self.region,
      job: id,
      given: givenPasts({ self, donor, vector, beats }),
      vector: othersIn(vector, self),
      whole: this.#whole,
      beats,
      floorMs,
      partitionOf: (record) => partitionOf(record, self.partitionCount),
      decide: (locked) => decideRaise(locked, vector),
    });
    return isRaised ? { kind: 'raised' } : { kind: 'below-horizon' };
  }

  #ask(request: Parameters<TransferPeer['ask']>[1]): Promise<TransferAnswer> {
    const { peer, signal } = this.#options;
    return peer.ask(this.#job.donor, request, request.kind === 'close' ? undefined : signal);
  }

  /** A snapshot that is not given back ends by itself. */
  async #letGo(): Promise<void> {
    const offer = this.#offer;
    this.#offer = null;
    if (offer === null) return;
    try {
      await this.#ask({ kind: 'close', snapshot: offer.snapshot });
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
    }
  }
}

/** Where nothing was ever raised, all that is stored is what this transfer has merged before it was cut off. */
function reachedBy({ settled }: Pick<Standing, 'settled'>, begun: Vector | null): Vector {
  return settled.length === 0 && begun !== null ? begun : settled;
}

function refusedOr(answer: TransferAnswer): ReceiverInput {
  if (answer.kind === 'refused') return answer;
  throw unexpected(`an answer "${answer.kind}"`);
}

/** Its slot began anew beyond what we have of it. */
function isLostSince({ region, incarnation, slot }: Offer, applied: Vector): boolean {
  if (slot === null || slot.number === 1) return false;
  const { counter, nonce } = incarnation;
  return applied.some(
    (entry) =>
      entry.region === region &&
      entry.incarnation.counter === counter &&
      entry.incarnation.nonce === nonce &&
      entry.lsn < slot.from,
  );
}

/** At least one record, and then as many as fit into a transaction. */
function cut(records: readonly StoredRecord[]): readonly (readonly StoredRecord[])[] {
  const parts: StoredRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const part = parts.at(-1);
    bytes += record.state.length;
    if (part !== undefined && part.length < maxRecords && bytes <= maxMergeBytes) part.push(record);
    else {
      parts.push([record]);
      bytes = record.state.length;
    }
  }
  return parts;
}
