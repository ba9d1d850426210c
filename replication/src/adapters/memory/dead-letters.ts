/**
 * Open dead letters of one store in memory, by their place. It belongs to a `MemoryRecordStore`, which gives it the
 * record that a retry works on; a retry runs to its end within one call, as every transaction there does.
 */
import { assert } from '../../errors.ts';
import {
  type Held,
  droppedAtOnce,
  heldBy,
  keptClosedCount,
  keptClosedMs,
  sumOf,
} from '../../letter-limits.ts';
import type {
  DeadLetterPlace,
  DeadLetterStore,
  Fate,
  FateCount,
  GivenUp,
  GivingUp,
  OpenDeadLetter,
  DecideRetry,
  DueDeadLetter,
  RetryOutcome,
} from '../../ports/dead-letter-store.ts';
import type { LetterAgenda } from '../../ports/agenda-store.ts';
import type { CountedBeat, RecordId } from '../../ports/change.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import type { DeadLetter, DeadLetterCount } from '../../ports/record-store.ts';
import { LetterTrial, type Trial } from '../letter-trial.ts';
import type { MemoryTable } from './table.ts';

export interface Letter extends DeadLetter, DeadLetterPlace {
  /** Newest beat of the partition that had come before it; `null`: unknown. */
  readonly beatBefore: CountedBeat | null;
  readonly givenUp: GivenUp | null;
}

export interface ClosedLetter {
  readonly origin: Letter['origin'];
  /** `null`: of one that was applied, or that nobody had given up. */
  readonly fate: Exclude<Fate, 'waiting'> | null;
  readonly closedAtMs: number;
}

/** What a letter needs of the store that it belongs to. */
export interface LetterHome {
  readonly letters: MemoryTable<Letter>;
  readonly closed: MemoryTable<ClosedLetter>;
  readonly nowMs: () => number;
  readonly transact: (isDurable: boolean, body: () => void) => void;
  /** Throws where several take more than one transaction is to read. */
  readonly read: (ids: readonly RecordId[]) => readonly Uint8Array[];
  readonly write: (ids: readonly RecordId[], writes: Trial<Letter>['writes']) => void;
  /** A letter of this partition was closed. */
  readonly resettle: (place: DeadLetterPlace) => void;
}

export class MemoryDeadLetters implements DeadLetterStore {
  readonly #home: LetterHome;

  constructor(home: LetterHome) {
    this.#home = home;
  }

  /** In order of place. */
  all(): readonly Letter[] {
    return [...this.#home.letters.values()].toSorted(byPlace);
  }

  /** Within a transaction. Storing one twice is harmless. */
  putAside(letter: Omit<Letter, 'givenUp'>): void {
    if (this.#find(letter) === null) this.#home.letters.put(nameOf(letter), { ...letter, givenUp: null });
  }

  /** Within a transaction. */
  close(letter: Letter, fate: ClosedLetter['fate']): void {
    const { letters, closed, nowMs } = this.#home;
    letters.delete(nameOf(letter));
    closed.put(nameOf(letter), { origin: letter.origin, fate, closedAtMs: nowMs() });
  }

  /** Of the open ones of an origin. */
  held(origin: Letter['origin']): Held {
    const letters = [...this.#home.letters.values()].filter((letter) => letter.origin === origin);
    return heldBy(letters, ({ delta }) => delta);
  }

  /** In a transaction. */
  empty(): void {
    this.#home.letters.clear();
    this.#home.closed.clear();
  }

  /** The oldest open one of a partition. */
  oldest(partition: Pick<DeadLetterPlace, 'origin' | 'incarnation' | 'partition'>): Letter | null {
    let oldest: Letter | null = null;
    for (const letter of this.#home.letters.values())
      if (isOfPartition(letter, partition) && (oldest === null || byPlace(letter, oldest) < 0))
        oldest = letter;
    return oldest;
  }

  counts(): readonly DeadLetterCount[] {
    const counts = new Map<string, DeadLetterCount>();
    for (const letter of this.all()) {
      const { origin, cause } = letter;
      const one = heldBy([letter], ({ delta }) => delta);
      const sum = sumOf([counts.get(`${origin} ${cause}`) ?? { count: 0, bytes: 0 }, one]);
      counts.set(`${origin} ${cause}`, { origin, cause, ...sum });
    }
    return [...counts.values()];
  }

  agenda(): LetterAgenda {
    const letters = [...this.#home.letters.values()];
    const closed = [...this.#home.closed.values()];
    const stamps = letters.flatMap(({ stampMs }) => stampMs ?? []);
    return {
      hasFates: letters.some(({ givenUp }) => givenUp !== null) || closed.some(({ fate }) => fate !== null),
      leastStampMs: stamps.length === 0 ? null : stamps.reduce((least, stampMs) => Math.min(least, stampMs)),
    };
  }

  async list(query: {
    readonly after: DeadLetterPlace | null;
    readonly limit: number;
  }): Promise<readonly OpenDeadLetter[]> {
    const { after, limit } = query;
    const rest = this.all().filter((letter) => after === null || byPlace(letter, after) > 0);
    return rest.slice(0, limit).map((letter) => {
      return { ...letter, byteCount: letter.delta.length, openedAtMs: 0 };
    });
  }

  async due(stampMs: number, limit: number): Promise<readonly DueDeadLetter[]> {
    const due = this.all().filter((letter) => letter.stampMs !== null && letter.stampMs <= stampMs);
    const first = due.toSorted((a, b) => (a.stampMs ?? 0) - (b.stampMs ?? 0)).slice(0, limit);
    return first.map((letter) => ({ ...letter, byteCount: letter.delta.length }));
  }

  async retry(places: readonly DeadLetterPlace[], decide: DecideRetry): Promise<readonly RetryOutcome[]> {
    const [first] = places;
    if (first === undefined) return [];
    assert(
      places.every((place) => isOfPartition(place, first)),
      'letters that are tried together are of one partition',
    );
    const trial = new LetterTrial(places.map((place) => this.#find(place)));
    const tried = trial.run(this.#home.read(trial.ids), decide);
    if (tried.applied.length + tried.kept.length > 0) this.#end(first, trial.ids, tried);
    return tried.outcomes;
  }

  #end(partition: DeadLetterPlace, ids: readonly RecordId[], { writes, applied, kept }: Trial<Letter>): void {
    this.#home.transact(false, () => {
      for (const { letter, why } of kept) {
        const { cause, detail, stampMs } = why;
        this.#home.letters.put(nameOf(letter), { ...letter, cause, detail, stampMs });
      }
      for (const letter of applied) this.close(letter, null);
      this.#home.write(ids, writes);
      this.#home.resettle(partition);
    });
  }

  async giveUp(
    place: DeadLetterPlace,
    { reason, isLossAccepted }: GivingUp,
  ): Promise<'waiting' | 'lost' | 'gone'> {
    const letter = this.#find(place);
    if (letter === null) return 'gone';
    const givenUp = letter.givenUp ?? { reason, sinceMs: this.#home.nowMs() };
    this.#home.transact(true, () => {
      this.#home.letters.put(nameOf(letter), { ...letter, givenUp });
      if (!isLossAccepted) return;
      this.close({ ...letter, givenUp }, 'lost');
      this.#home.resettle(letter);
    });
    return isLossAccepted ? 'lost' : 'waiting';
  }

  async fates(): Promise<readonly FateCount[]> {
    const waiting = this.all().filter(({ givenUp }) => givenUp !== null);
    const known = [
      ...waiting.map(({ origin }) => ({ origin, fate: 'waiting' as const })),
      ...[...this.#home.closed.values()].flatMap(({ origin, fate }) =>
        fate === null ? [] : [{ origin, fate }],
      ),
    ];
    const counts = new Map<string, FateCount>();
    for (const { origin, fate } of known) {
      const count = counts.get(`${origin} ${fate}`)?.count ?? 0;
      counts.set(`${origin} ${fate}`, { origin, fate, count: count + 1 });
    }
    return [...counts.values()];
  }

  async countClosed(): Promise<number> {
    return this.#home.closed.size;
  }

  async prune(): Promise<number> {
    const { closed, nowMs, transact } = this.#home;
    const oldestFirst = [...closed.keyed()].toSorted(([, a], [, b]) => a.closedAtMs - b.closedAtMs);
    const over = Math.max(0, oldestFirst.length - keptClosedCount);
    const isOver = ([, { closedAtMs }]: readonly [string, ClosedLetter], index: number): boolean =>
      index < over || closedAtMs < nowMs() - keptClosedMs;
    const dropped = oldestFirst.filter(isOver).slice(0, droppedAtOnce);
    if (dropped.length > 0)
      transact(true, () => {
        for (const [name] of dropped) closed.delete(name);
      });
    return dropped.length;
  }

  #find(place: DeadLetterPlace): Letter | null {
    return this.#home.letters.get(nameOf(place)) ?? null;
  }
}

function isOfPartition(
  a: Pick<DeadLetterPlace, 'origin' | 'incarnation' | 'partition'>,
  b: Pick<DeadLetterPlace, 'origin' | 'incarnation' | 'partition'>,
): boolean {
  return (
    a.origin === b.origin && a.partition === b.partition && sameIncarnation(a.incarnation, b.incarnation)
  );
}

function nameOf({ origin, incarnation, partition, lsn, index }: DeadLetterPlace): string {
  return [origin, incarnation.counter, incarnation.nonce, partition, lsn, index].join(' ');
}

function byPlace(a: DeadLetterPlace, b: DeadLetterPlace): number {
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return (
    a.incarnation.counter - b.incarnation.counter ||
    a.incarnation.nonce - b.incarnation.nonce ||
    a.partition - b.partition ||
    Number(a.lsn > b.lsn) - Number(a.lsn < b.lsn) ||
    a.index - b.index
  );
}
