/**
 * One sweep of one peer (P6, P7): all records are compared by digests, portion by portion, each under a snapshot of its
 * own, and what differs is looked at again once both sides have caught up with what the other showed. It merges
 * nothing, so it heals nothing by accident and counts nothing that is merely on its way. It holds no snapshot while it
 * rests or waits, and it rests far longer than it works.
 */
import { pause } from '../backoff.ts';
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
import { othersIn, type Self, upperBound } from '../reach.ts';
import { lacking } from '../vector.ts';
import { hasDiverged, isSuspect, type Suspect } from './suspects.ts';
import { requireAscending, requireThrough, unexpected } from './trust.ts';

export interface SweepOptions {
  readonly self: Self;
  readonly peer: RegionId;
  readonly donor: TransferPeer;
  readonly store: RecordReader & Pick<TransferStore, 'standing'>;
  readonly clock: Clock;
  readonly timer: Timer;
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
const catchUpMs = 60_000;
const catchUpPollMs = 500;

/** What a portion found, and how far both sides could have seen. */
interface Portion {
  readonly through: RecordId;
  readonly isLast: boolean;
  readonly suspects: readonly Suspect[];
  /** Nothing beyond this was shown by the peer. */
  readonly theirs: Vector;
}

export class Sweep {
  readonly #options: SweepOptions;
  /** In which the own database read for the portion: what is waited for, a beat or the link, is no work. */
  #workedMs = 0;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Rejects with `ReplicationError` where the peer or the database does not serve, or a side does not catch up. */
  async run(): Promise<SweepResult> {
    const { clock, timer, signal } = this.#options;
    const startedAtMs = clock.nowMs();
    let cursor = beginning;
    let diverged = 0;
    for (;;) {
      this.#workedMs = 0;
      const portion = await this.#portion(cursor);
      const restMs = Math.max(leastRestMs, this.#workedMs * restFactor);
      if (portion.suspects.length > 0) diverged += await this.#lookAgain(portion);
      if (portion.isLast) return { startedAtMs, diverged };
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
      const { suspects, through } = gathered;
      return { through, isLast, suspects, theirs: offer.ahead };
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
      const held = await this.#read((store) => store.hashes({ after: gathered.through, until }, maxHave));
      const last = held.length < maxHave ? until : (held.at(-1) ?? until);
      const range = { after: gathered.through, until: { collection: last.collection, key: last.key } };
      const answer = await this.#fetch(
        offer,
        range,
        held.map(({ hash }) => hash),
      );
      const { records, through, lacking: places } = answer;
      const theirs = new Map<string, Suspect>();
      for (const { collection, key } of places.flatMap((place) => held[place] ?? []))
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

  async #lookAgain({ suspects, theirs }: Portion): Promise<number> {
    const { store, self } = this.#options;
    const ours = upperBound(self, await store.standing());
    await this.#until('this region has not settled what the peer showed', async () => {
      const { settled } = await store.standing();
      return lacking(settled, othersIn(theirs, self)) === null;
    });
    let later: readonly Uint8Array[] = [];
    await this.#until('the peer has not settled what this region showed', async () => {
      const read = await this.#underSnapshot(async (offer) =>
        lacking(offer.vector, ours) === null ? this.#states(offer, suspects) : null,
      );
      later = read ?? [];
      return read !== null;
    });
    const own = await store.states(suspects.map(({ collection, key }) => ({ collection, key })));
    const diverged = suspects.filter((suspect, index) =>
      hasDiverged(suspect, { own: own[index] ?? nothing, theirs: later[index] ?? nothing }),
    );
    return diverged.length;
  }

  async #read<T>(work: (store: RecordReader) => Promise<T>): Promise<T> {
    const { timer, store } = this.#options;
    const begunMs = timer.monotonicMs();
    const answer = await work(store);
    this.#workedMs += timer.monotonicMs() - begunMs;
    return answer;
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const { timer, signal } = this.#options;
    const endMs = timer.monotonicMs() + catchUpMs;
    while (!(await isSo())) {
      if (timer.monotonicMs() > endMs) throw unexpected(`no proof: ${what} within ${catchUpMs} ms`);
      if (!(await pause(timer, catchUpPollMs, signal))) throw closing();
    }
  }

  async #underSnapshot<T>(work: (offer: Offer) => Promise<T>): Promise<T> {
    const answer = await this.#ask({ kind: 'open' });
    if (answer.kind !== 'offer') throw refusal(answer);
    const { offer } = answer;
    try {
      return await work(offer);
    } finally {
      await this.#ask({ kind: 'close', snapshot: offer.snapshot });
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
    requireThrough(range, answer.fetched.through);
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
      states.push(...answer.states);
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
  through: RecordId;
  #bytes = 0;

  constructor(through: RecordId) {
    this.through = through;
  }

  get isFull(): boolean {
    return this.suspects.length >= maxSuspects || this.#bytes >= maxSuspectBytes;
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
      if (!isSuspect(suspect)) continue;
      this.suspects.push(suspect);
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
