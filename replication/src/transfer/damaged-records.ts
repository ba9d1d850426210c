/**
 * Own records whose bytes nobody can read any more, as sweeps have found them, and which peer's snapshot may take their
 * place (0062). A damaged record is never edited, because an edit reads it whole; so a snapshot that covers all that this
 * region held once the damage was seen shows everything that the record held, as long as its bytes are still those that were
 * seen. Only then does it give way, and no write and no deletion is lost by that. What a newer version wrote is not damaged.
 * All of it is kept in memory: after a restart the next sweep finds it again.
 */
import { ConflictError, contextOf, merge } from '@isthmus/conflict';
import type { RecordId } from '../ports/change.ts';
import { type Actor, actorOf } from '../ports/identity.ts';
import type { StoredRecord } from '../ports/record-store.ts';
import type { Vector, WholePast } from '../ports/vector.ts';
import type { Self } from '../reach.ts';
import { recordHash } from '../record-hash.ts';
import { lacking, outside } from '../vector.ts';

interface Damage {
  readonly hash: Uint8Array;
  /** Nothing beyond this was in the record. */
  readonly reached: Vector;
}

/** What a donor shows of a record, in a snapshot that shows everything up to the vector. */
export interface Shown {
  readonly vector: Vector;
  /** Pasts of which it shows all that anybody does. */
  readonly whole: readonly WholePast[];
  readonly state: Uint8Array;
}

/** The oldest are forgotten first. */
const maxDamaged = 1000;

export class DamagedRecords {
  readonly #actor: Actor;
  readonly #found = new Map<string, Damage>();

  constructor({ region, incarnation }: Pick<Self, 'region' | 'incarnation'>) {
    this.#actor = actorOf(region, incarnation);
  }

  /** `reached` was read after the record. */
  note(record: StoredRecord, reached: Vector): void {
    const [name, hash] = [nameOf(record), recordHash(record)];
    const known = this.#found.get(name);
    // What was seen first is reached first.
    if (known !== undefined && Buffer.compare(known.hash, hash) === 0) return;
    this.#found.delete(name);
    this.#found.set(name, { hash, reached });
    const [oldest] = this.#found.keys();
    if (this.#found.size > maxDamaged && oldest !== undefined) this.#found.delete(oldest);
  }

  /** Whether what is stored here is damaged, and the donor's record may take its place. */
  givesWay(stored: StoredRecord, { vector, whole, state }: Shown): boolean {
    const damage = this.#found.get(nameOf(stored));
    if (damage === undefined || Buffer.compare(damage.hash, recordHash(stored)) !== 0) return false;
    return (
      lacking(vector, outside(damage.reached, whole)) === null && this.#keepsOwnDots(stored.state, state)
    );
  }

  /**
   * A donor that has collected the record and holds it again knows no dot of the time before, and those must not be given
   * away twice (P3). So it has to know dots of ours, or the damaged record's head must show none that it does not know.
   */
  #keepsOwnDots(stored: Uint8Array, shown: Uint8Array): boolean {
    try {
      return contextOf(shown).last(this.#actor) > 0 || !merge(shown, stored).changed;
    } catch (reason) {
      if (reason instanceof ConflictError) return false;
      throw reason;
    }
  }
}

function nameOf({ collection, key }: RecordId): string {
  return `${collection}\0${key}`;
}
