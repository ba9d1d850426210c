/**
 * What a region wrote beyond the place up to which its survivors keep it (F of P6), read off its own log and folded per
 * record. Pure: records go in as the log holds them, rows come out. Only intervals say what is beyond F, because a record
 * that the survivors dropped after its deletion looks, by its dots alone, like one that they never had. Where the log
 * lacks an interval that is a hole, and is told: rows are then not everything. Nothing of a life that the survivors say
 * nothing of is taken, save the present one, because its changes may have reached them by a transfer. Where all of it is
 * too much to be held in memory it is taken in parts, each by another reading of the log: every record is in one of them,
 * with all of its lives.
 */
import { createHash } from 'node:crypto';
import { contextOf, inspect, merge } from '@isthmus/conflict';
import { ReplicationError } from '../errors.ts';
import type { ChangesRecord, LogRecord, PlacedChange } from '../log/log-record.ts';
import type { Lsn, RecordId } from '../ports/change.ts';
import { type Actor, type Incarnation, type RegionId, actorOf } from '../ports/identity.ts';
import type { Vector } from '../ports/vector.ts';
import { placeOf } from '../vector.ts';

/** All that one life wrote to one record beyond F. */
export interface TailRow extends RecordId {
  readonly incarnation: Incarnation;
  /** The changes joined, under the dots that they had. */
  readonly delta: Uint8Array;
  readonly changes: number;
  /** Of the last of them. */
  readonly lsn: Lsn;
  /** A counter in it goes on from a number that it does not tell. */
  readonly needsBase: boolean;
}

export interface Hole {
  readonly incarnation: Incarnation;
  readonly partition: number;
  /** Nothing is known of what lies after this and up to `resumesAt`. */
  readonly after: Lsn;
  readonly resumesAt: Lsn;
}

export interface TailOptions {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly partitionCount: number;
  readonly final: Vector;
  /** The present life has been read when every partition has come so far. */
  readonly until: Lsn;
  readonly part: Part;
  /** Of all rows together; they are held in memory. */
  readonly maxBytes: number;
}

/** Which of so many parts. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

/** What a row takes beside its change. */
const rowBytes = 1024;

interface Folded {
  readonly row: TailRow;
  /** Counters of dots under which its slots were born beyond F. */
  readonly births: ReadonlySet<number>;
}

export class OwnTail {
  readonly #options: TailOptions;
  readonly #reached: Map<string, Lsn>;
  readonly #folded = new Map<string, Folded>();
  readonly #holes: Hole[] = [];
  #bytes = 0;

  constructor(options: TailOptions) {
    const { region, incarnation, partitionCount, final } = options;
    this.#options = options;
    const own = final.filter((entry) => entry.region === region);
    this.#reached = new Map(own.map((entry) => [placeOf(entry), entry.lsn]));
    for (let partition = 0; partition < partitionCount; partition++) {
      const place = placeOf({ region, incarnation, partition });
      if (!this.#reached.has(place)) this.#reached.set(place, 0n);
    }
  }

  /** In the order in which they were first met. */
  get rows(): readonly TailRow[] {
    return [...this.#folded.values()].map(({ row }) => row);
  }

  /** What the rows take in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get holes(): readonly Hole[] {
    return this.#holes;
  }

  get isThrough(): boolean {
    const { region, incarnation, partitionCount, until } = this.#options;
    return Array.from({ length: partitionCount }, (_, partition) =>
      placeOf({ region, incarnation, partition }),
    ).every((place) => (this.#reached.get(place) ?? 0n) >= until);
  }

  /** Records of one partition come in the order of the log. Throws `overloaded` beyond the bound. */
  take(record: LogRecord): void {
    const { origin: region, incarnation, partition } = record;
    if (region !== this.#options.region) return;
    const place = placeOf({ region, incarnation, partition });
    const reached = this.#reached.get(place);
    if (reached === undefined) return;
    if (record.kind === 'start') {
      if (reached === 0n) this.#reached.set(place, record.at);
      return;
    }
    if (record.to <= reached) return;
    if (record.from > reached)
      this.#holes.push({ incarnation, partition, after: reached, resumesAt: record.from });
    this.#fold(record, reached);
    this.#reached.set(place, record.to);
  }

  #fold({ incarnation, changes }: ChangesRecord, reached: Lsn): void {
    const actor = actorOf(this.#options.region, incarnation);
    for (const change of changes) {
      if (change.lsn <= reached || !isIn(this.#options.part, change)) continue;
      const name = JSON.stringify([actor, change.collection, change.key]);
      const known = this.#folded.get(name);
      const folded = fold(known ?? null, change, { incarnation, actor });
      this.#folded.set(name, folded);
      this.#bytes += folded.row.delta.length - (known?.row.delta.length ?? -rowBytes);
      requireHoldable(this.#bytes, this.#options.maxBytes);
    }
  }
}

function fold(
  known: Folded | null,
  { collection, key, delta, lsn }: PlacedChange,
  { incarnation, actor }: { readonly incarnation: Incarnation; readonly actor: Actor },
): Folded {
  const { births, isOlder } = slotsIn(delta, actor, known?.births ?? new Set());
  const row = {
    collection,
    key,
    incarnation,
    // A view would keep all of the record of the log that it is in.
    delta: known === null ? new Uint8Array(delta) : merge(known.row.delta, delta).state,
    changes: (known?.row.changes ?? 0) + 1,
    lsn,
    needsBase: isOlder || known?.row.needsBase === true,
  };
  return { row, births };
}

const slotTypes = new Set(['counter', 'bounded-counter']);

/**
 * Which slots were born in this change or since F, and whether another one goes on. An edit's last dot belongs to no
 * entry, and what it wrote lies without a hole below that; a slot below such a hole was born earlier.
 */
function slotsIn(delta: Uint8Array, actor: Actor, known: ReadonlySet<number>) {
  const own = inspect(delta).fields.flatMap(({ type, entries }) =>
    entries.flatMap((entry) => (entry.actor === actor ? [{ type, counter: entry.counter }] : [])),
  );
  const written = new Set(own.map(({ counter }) => counter));
  let first = contextOf(delta).last(actor);
  while (written.has(first - 1)) first--;
  const slots = own.filter(({ type }) => slotTypes.has(type)).map(({ counter }) => counter);
  const births = new Set([...known, ...slots.filter((counter) => counter >= first)]);
  return { births, isOlder: slots.some((counter) => !births.has(counter)) };
}

/** Throws `overloaded`, which only a smaller part mends. */
export function requireHoldable(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  const detail = `what was not replicated takes more than ${maxBytes} bytes in memory`;
  throw new ReplicationError('overloaded', detail, { retriable: false });
}

function isIn({ number, of }: Part, { collection, key }: RecordId): boolean {
  if (of === 1) return true;
  const hash = createHash('sha256').update(`${collection}\0${key}`, 'utf8').digest();
  return hash.readUInt32BE(0) % of === number - 1;
}
