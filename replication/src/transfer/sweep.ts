/**
 * One sweep of one peer (P6, P7): all records are compared by digests, portion by portion, each under a snapshot of its
 * own, and what differs is looked at again once both sides have caught up with what the other showed. It merges
 * nothing, so it heals nothing by accident and counts nothing that is merely on its way. A record that one side's bytes
 * do not show is named, counted as diverged, and not waited for. It comes to all of these also where no proof comes about,
 * because what others write to a damaged record is put aside and keeps this region from catching up. It holds no snapshot
 * while it rests or waits, and it rests far longer than it works.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import type { RecordId } from '../ports/change.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import { compareIds } from '../record-hash.ts';
import { beginning, type RecordRange, type RecordReader } from '../ports/record-reader.ts';
import type { Timer } from '../ports/timer.ts';
import type { Offer, TransferAnswer, TransferPeer, TransferRequest } from '../ports/transfer-peer.ts';
import type { TransferStore } from '../ports/transfer-store.ts';
import type { SweepResult } from '../ports/verification.ts';
import type { Vector } from '../ports/vector.ts';
import { boundBeside, othersIn, type Self, upperBound } from '../reach.ts';
import { lacking, outside } from '../vector.ts';
import type { DamagedRecords } from './damaged-records.ts';
import { difference, hasDiverged, type Suspect, type Unreadable } from './suspects.ts';
import { requireAscending, requireFetched, unexpected } from './trust.ts';

export interface SweepOptions {
  readonly self: Self;
  readonly peer: RegionId;
  readonly donor: TransferPeer;
  readonly store: RecordReader & Pick<TransferStore, 'standing'>;
  readonly clock: Clock;
  readonly timer: Timer;
  /** Is told of damaged own records. */
  readonly damaged: Pick<DamagedRecords, 'note'>;
  readonly signal: AbortSignal;
}

const maxHave = 2048;
/** Suspects are looked at again before more are gathered. */
const maxSuspects = 256;
const maxSuspectBytes = 8 * 1024 * 1024;
/** Own records that are read in one step; each may have a MiB. */
const statesAtOnce = 32;
const leastRestMs = 200;
/** So many times the work of a portion is the rest after it; the peer reads as much as this region does. */
const restFactor = 20;
/** In a row: half a minute. */
const maxRefusals = 18;
const catchUpMs = 60_000;
const catchUpPollMs = 500;

/** Of all that cannot be read so many are named. */
const maxNamed = 10;

/** One record of which this version cannot tell what a side shows. */
export interface UnreadableRecord extends RecordId, Unreadable {}

export interface SweepFinding extends Omit<SweepResult, 'sweep'> {
  /** Of `diverged`: a transfer may mend them. */
  readonly mendable: number;
  /** Of `diverged`: one side cannot be read. */
  readonly unreadable: number;
  /** The first of these. */
  readonly named: readonly UnreadableRecord[];
  /** Which side did not catch up, so that all of this proves nothing; `null`: both did. */
  readonly unproven: string | null;
}

/** What a portion found, and how far both sides could have seen. */
interface Portion {
  readonly through: RecordId;
  readonly isLast: boolean;
  readonly suspects: readonly Suspect[];
  readonly unreadable: readonly (Suspect & Unreadable)[];
  /** Nothing beyond this was shown by the peer. */
  readonly theirs: Vector;
}

export class Sweep {
  readonly #options: SweepOptions;
  /** In which the own database read for the portion: what is waited for, a beat or the link, is no work. */
  #workedMs = 0;
  #counts = { diverged: 0, mendable: 0, unreadable: 0 };
  readonly #named: UnreadableRecord[] = [];

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Rejects with `ReplicationError` where the peer or the database does not serve. */
  async run(): Promise<SweepFinding> {
    const { clock, timer, signal } = this.#options;
    const startedAtMs = clock.nowMs();
    let cursor = beginning;
    let unproven: string | null = null;
    for (;;) {
      this.#workedMs = 0;
      const portion = await this.#portion(cursor);
      const restMs = Math.max(leastRestMs, this.#workedMs * restFactor);
      if (portion.unreadable.length > 0) await this.#noteUnreadable(portion.unreadable);
      if (portion.suspects.length > 0) unproven ??= await this.#lookAgain(portion);
      if (portion.isLast) return { startedAtMs, ...this.#counts, named: this.#named, unproven };
      cursor = portion.through;
      if (!(await pause(timer, restMs, signal))) throw closing();
    }
  }

  /** One reading of ranges, or a part of it where many records differ. */
  async #portion(after: RecordId): Promise<Portion> {
    return this.#underSnapshot(async (offer) => {
      const ranges = await this.#ranges(offer, after);
      const gathered = new Gathered(after);
      for (const range of ranges) {
        const own = await this.#read((store) =>
          store.digest({ after: gathered.through, until: range.until }),
        );
        const isEqual = own.records === range.records && Buffer.compare(own.digest, range.digest) === 0;
        if (isEqual) gathered.passed(range.until);
        else await this.#gather(offer, range.until, gathered);
        if (gathered.isFull) break;
      }
      const isLast = ranges.length === 0 && (await this.#rest(offer, gathered));
      const { suspects, unreadable, through } = gathered;
      return { through, isLast, suspects, unreadable, theirs: offer.ahead };
    });
  }

  /** Own records behind the peer's last one; true once there are no more. */
  async #rest(offer: Offer, gathered: Gathered): Promise<boolean> {
    const [last] = await this.#read((store) => store.ranges(gathered.through));
    if (last === undefined) return true;
    await this.#gather(offer, last.until, gathered);
    return false;
  }

  async #gather(offer: Offer, until: RecordId, gathered: Gathered): Promise<void> {
    while (!gathered.isAt(until) && !gathered.isFull) {
      const { records: held, through: last } = await this.#read((store) =>
        store.hashes({ after: gathered.through, until }, maxHave),
      );
      const range = { after: gathered.through, until: { collection: last.collection, key: last.key } };
      const answer = await this.#fetch(
        offer,
        range,
        held.map(({ hash }) => hash),
      );
      const { records, through, lacking: places } = answer;
      const theirs = new Map<string, Suspect>();
      // What lies beyond the answer comes with the next one, with what the peer holds of it.
      const without = places.flatMap((place) => held[place] ?? []);
      for (const { collection, key } of without.filter((id) => compareIds(id, through) <= 0))
        theirs.set(`${collection}\0${key}`, { collection, key, own: nothing, theirs: nothing });
      for (const { collection, key, state } of records)
        theirs.set(`${collection}\0${key}`, { collection, key, own: nothing, theirs: state });
      await this.#compare([...theirs.values()].toSorted(compareIds), gathered);
      if (!gathered.isFull) gathered.passed(through);
    }
  }

  /** In the order of names, and no more of them than are kept: records may be large. */
  async #compare(named: readonly Suspect[], gathered: Gathered): Promise<void> {
    for (let at = 0; at < named.length && !gathered.isFull; at += statesAtOnce) {
      const some = named.slice(at, at + statesAtOnce);
      const own = await this.#read((store) => store.states(some));
      gathered.take(some.map((each, index) => ({ ...each, own: own[index] ?? nothing })));
    }
  }

  /** Which side did not catch up; `null`: both did, and what they show was compared. */
  async #lookAgain({ suspects, theirs }: Portion): Promise<string | null> {
    const { store, self } = this.#options;
    const shown = await store.standing();
    const isHere = await this.#becomes(async () => {
      const { settled, whole } = await store.standing();
      return lacking(settled, outside(othersIn(theirs, self), whole)) === null;
    });
    if (!isHere) return `this region has not settled what the peer showed within ${catchUpMs} ms`;
    let later: readonly Uint8Array[] = [];
    const isThere = await this.#becomes(async () => {
      const read = await this.#underSnapshot(async (offer) =>
        lacking(offer.vector, boundBeside(self, shown, offer.whole)) === null
          ? this.#states(offer, suspects)
          : null,
      );
      later = read ?? [];
      return read !== null;
    });
    if (!isThere) return `the peer has not settled what this region showed within ${catchUpMs} ms`;
    const own = await store.states(suspects.map(({ collection, key }) => ({ collection, key })));
    const unreadable: (Suspect & Unreadable)[] = [];
    for (const [index, suspect] of suspects.entries()) {
      const now = { own: own[index] ?? nothing, theirs: later[index] ?? nothing };
      const found = difference(now);
      if (typeof found !== 'string') unreadable.push({ ...suspect, ...now, ...found });
      else if (hasDiverged(suspect, now)) this.#count({ mendable: 1, unreadable: 0 });
    }
    if (unreadable.length > 0) await this.#noteUnreadable(unreadable);
    return null;
  }

  /** A damaged own record may be mended by what the peer shows; nothing here mends the peer's, or brings a newer version. */
  async #noteUnreadable(found: readonly (Suspect & Unreadable)[]): Promise<void> {
    const { self, store, damaged } = this.#options;
    const reached = upperBound(self, await store.standing());
    for (const { collection, key, own, theirs, side, cause } of found) {
      const isDamaged = side === 'own' && cause === 'malformed';
      if (isDamaged) damaged.note({ collection, key, state: own }, reached);
      const isMendable = isDamaged && theirs.length > 0 && difference({ own: theirs, theirs }) === 'equal';
      this.#count({ mendable: Number(isMendable), unreadable: 1 });
      if (this.#named.length < maxNamed) this.#named.push({ collection, key, side, cause });
    }
  }

  #count({ mendable, unreadable }: { readonly mendable: number; readonly unreadable: number }): void {
    const { diverged, ...before } = this.#counts;
    this.#counts = {
      diverged: diverged + 1,
      mendable: before.mendable + mendable,
      unreadable: before.unreadable + unreadable,
    };
  }

  async #read<T>(work: (store: RecordReader) => Promise<T>): Promise<T> {
    const { timer, store } = this.#options;
    const begunMs = timer.monotonicMs();
    const answer = await work(store);
    this.#workedMs += timer.monotonicMs() - begunMs;
    return answer;
  }

  async #becomes(isSo: () => Promise<boolean>): Promise<boolean> {
    const { timer, signal } = this.#options;
    const endMs = timer.monotonicMs() + catchUpMs;
    while (!(await isSo())) {
      if (timer.monotonicMs() > endMs) return false;
      if (!(await pause(timer, catchUpPollMs, signal))) throw closing();
    }
    return true;
  }

  async #underSnapshot<T>(work: (offer: Offer) => Promise<T>): Promise<T> {
    const offer = await this.#open();
    try {
      return await work(offer);
    } finally {
      await this.#ask({ kind: 'close', snapshot: offer.snapshot });
    }
  }

  /** Who serves others now is asked again: a sweep opens many snapshots, and begins anew where it fails. */
  async #open(): Promise<Offer> {
    const { timer, signal } = this.#options;
    for (let refusals = 0; ; refusals++) {
      const answer = await this.#ask({ kind: 'open' });
      if (answer.kind === 'offer') return answer.offer;
      const isBusy = answer.kind === 'refused' && answer.refusal === 'busy';
      if (!isBusy || refusals === maxRefusals) throw refusal(answer);
      if (!(await pause(timer, backoffMs(refusals), signal))) throw closing();
    }
  }

  async #ranges({ snapshot }: Offer, after: RecordId) {
    const answer = await this.#ask({ kind: 'ranges', snapshot, after });
    if (answer.kind !== 'ranges') throw refusal(answer);
    requireAscending(after, answer.ranges);
    return answer.ranges;
  }

  async #fetch({ snapshot }: Offer, range: RecordRange, have: readonly Uint8Array[]) {
    const answer = await this.#ask({ kind: 'fetch', snapshot, range, have });
    if (answer.kind !== 'records') throw refusal(answer);
    requireFetched(range, answer.fetched);
    return answer.fetched;
  }

  /** Of all suspects, however many answers that takes. */
  async #states({ snapshot }: Offer, suspects: readonly Suspect[]): Promise<readonly Uint8Array[]> {
    const states: Uint8Array[] = [];
    while (states.length < suspects.length) {
      const ids = suspects.slice(states.length).map(({ collection, key }) => ({ collection, key }));
      const answer = await this.#ask({ kind: 'states', snapshot, ids });
      if (answer.kind !== 'states') throw refusal(answer);
      if (answer.states.length === 0) throw unexpected('no states');
      for (const state of answer.states) states.push(state);
    }
    return states;
  }

  #ask(request: TransferRequest): Promise<TransferAnswer> {
    const { donor, peer, signal } = this.#options;
    return donor.ask(peer, request, request.kind === 'close' ? undefined : signal);
  }
}

/** Suspects so far, and how far the comparing has come. */
class Gathered {
  readonly suspects: Suspect[] = [];
  readonly unreadable: (Suspect & Unreadable)[] = [];
  through: RecordId;
  #bytes = 0;

  constructor(through: RecordId) {
    this.through = through;
  }

  get isFull(): boolean {
    return this.suspects.length + this.unreadable.length >= maxSuspects || this.#bytes >= maxSuspectBytes;
  }

  isAt({ collection, key }: RecordId): boolean {
    return this.through.collection === collection && this.through.key === key;
  }

  passed(through: RecordId): void {
    this.through = through;
  }

  /** In the order of their names, up to where it is full. */
  take(found: readonly Suspect[]): void {
    for (const suspect of found) {
      if (this.isFull) return;
      this.passed({ collection: suspect.collection, key: suspect.key });
      const outcome = difference(suspect);
      if (outcome === 'equal') continue;
      if (outcome === 'differs') this.suspects.push(suspect);
      else this.unreadable.push({ ...suspect, ...outcome });
      this.#bytes += suspect.own.length + suspect.theirs.length;
    }
  }
}

const nothing = new Uint8Array(0);

function refusal(answer: TransferAnswer): ReplicationError {
  return answer.kind === 'refused'
    ? unexpected(`a refusal (${answer.refusal}): ${answer.detail}`)
    : unexpected(`an answer "${answer.kind}"`);
}

function closing(): ReplicationError {
  return new ReplicationError('closed', 'the process is closing', { retriable: true });
}
