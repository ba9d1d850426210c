/**
 * The lives of a simulated region: the incarnations that its database was, how far it still holds each of them after it
 * was set back, and how far the region's log did. What a former life committed has to be found again wherever one of
 * the two reaches; what reaches neither was lost with the database, and nobody is blamed for it.
 */
import { assert } from '@isthmus/replication/errors';
import { logRecordOrNull } from '@isthmus/replication/log/log-record';
import type { MemoryLog } from '@isthmus/replication/adapters/memory/log';
import type { Lsn } from '@isthmus/replication/ports/change';
import { type Incarnation, type RegionId, sameIncarnation } from '@isthmus/replication/ports/identity';
import { placeOf } from '@isthmus/replication/vector';
import type { SimSeals } from './sim-seals.ts';

export interface Life {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
}

/** Beyond every position. */
const everything: Lsn = 2n ** 64n;

export class PastLives {
  readonly #region: RegionId;
  readonly #log: MemoryLog;
  readonly #seals: SimSeals;
  readonly #lives: Incarnation[];
  readonly #kept = new Map<Incarnation, Lsn>();
  readonly #logged = new Map<string, Lsn>();

  constructor({ region, incarnation }: Life, log: MemoryLog, seals: SimSeals) {
    this.#region = region;
    this.#log = log;
    this.#seals = seals;
    this.#lives = [incarnation];
  }

  /** Oldest first. */
  get all(): readonly Life[] {
    return this.#lives.map((incarnation) => ({ region: this.#region, incarnation }));
  }

  /** The newest one. */
  get last(): Life {
    const incarnation = this.#lives.at(-1);
    assert(incarnation !== undefined, 'a region has a life');
    return { region: this.#region, incarnation };
  }

  began(incarnation: Incarnation): void {
    if (!this.#lives.some((life) => sameIncarnation(life, incarnation))) this.#lives.push(incarnation);
  }

  /** The database is again what it was when it was the incarnation `copied` and stood at `at`. */
  setBack(copied: Incarnation, at: Lsn): void {
    this.#readLog();
    for (const life of this.#lives)
      if (sameIncarnation(life, copied)) this.#keep(life, at);
      else if (life.counter > copied.counter) this.#keep(life, 0n);
  }

  /** The database holds nothing any more that it did not write under this name, and nobody is sure to hold it instead. */
  emptied(except: Incarnation): void {
    this.#readLog();
    for (const life of this.#lives) if (!sameIncarnation(life, except)) this.#keep(life, 0n);
  }

  /** Whether something that it told is no longer in the database. */
  isSetBack(incarnation: Incarnation): boolean {
    return this.#lives.some((life) => sameIncarnation(life, incarnation) && this.#kept.has(life));
  }

  /** How far the database itself holds a former life. */
  kept(incarnation: Incarnation): Lsn {
    const life = this.#lives.find((each) => sameIncarnation(each, incarnation));
    return life === undefined ? 0n : (this.#kept.get(life) ?? everything);
  }

  /** How far the log has ever held one. */
  logged(incarnation: Incarnation, partition: number): Lsn {
    this.#readLog();
    return this.#logged.get(placeOf({ region: this.#region, incarnation, partition })) ?? 0n;
  }

  #keep(life: Incarnation, at: Lsn): void {
    const before = this.#kept.get(life) ?? everything;
    this.#kept.set(life, at < before ? at : before);
  }

  /** What a lost slot has hidden is in no log, so it counts only up to the first hole. */
  #readLog(): void {
    for (const [partition, held] of (this.#log.partitions('changes') ?? []).entries()) {
      const own = held
        .read(held.begin, Number.MAX_SAFE_INTEGER)
        .map(({ bytes }) => this.#seals.bodyOf({ region: this.#region, topic: 'changes', partition }, bytes))
        .flatMap((body) => logRecordOrNull(body) ?? [])
        .filter((record) => record.origin === this.#region && record.partition === partition)
        .flatMap((record) => (record.kind === 'changes' ? [record] : []))
        .toSorted((a, b) => (a.from < b.from ? -1 : 1));
      for (const { incarnation, from, to } of own) {
        const place = placeOf({ region: this.#region, incarnation, partition });
        const before = this.#logged.get(place) ?? from;
        if (from <= before && to > before) this.#logged.set(place, to);
      }
    }
  }
}
