/** What is known of incarnations that are over, in memory: held to the same contract as the store on Postgres. */
import { sameIncarnation } from '../../ports/identity.ts';
import type { IncarnationStore, OwnPast, Relearning } from '../../ports/incarnation-store.ts';
import type { Vector, VectorEntry, WholePast } from '../../ports/vector.ts';
import { greatestOf, placeOf } from '../../vector.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemoryRefillStore } from './refill-store.ts';
import type { MemoryTable } from './table.ts';
import { raiseWhole } from './whole-pasts.ts';

/** What taking a new incarnation adds to what has to be learnt. */
export interface Renewal extends Omit<Relearning, 'pasts' | 'fill' | 'isOpen'> {
  readonly past: OwnPast;
  /** Nothing of earlier lives is held any more. */
  readonly isEmptied: boolean;
}

const only = '';

export class MemoryIncarnationStore implements IncarnationStore {
  readonly #database: MemoryDatabase;
  readonly #closed: MemoryTable<VectorEntry>;
  readonly #whole: MemoryTable<WholePast>;
  readonly #relearning: MemoryTable<Omit<Relearning, 'fill'>>;
  readonly #refills: Pick<MemoryRefillStore, 'donor' | 'filled' | 'learnt'>;

  constructor(
    database: MemoryDatabase,
    records: Pick<MemoryRecordStore, 'tables'>,
    refills: Pick<MemoryRefillStore, 'donor' | 'filled' | 'learnt'>,
  ) {
    this.#database = database;
    this.#refills = refills;
    this.#closed = records.tables.ended;
    this.#whole = records.tables.whole;
    this.#relearning = database.table('relearning');
  }

  /** Local writes wait for what is to be learnt. */
  get isClosedToWrites(): boolean {
    return this.#relearning.get(only)?.isOpen === false;
  }

  async close(ended: VectorEntry): Promise<void> {
    if (this.#closed.get(placeOf(ended)) !== undefined) return;
    this.#database.transact(true, () => this.#closed.put(placeOf(ended), ended));
  }

  async closed(): Promise<Vector> {
    return [...this.#closed.values()];
  }

  async relearning(): Promise<Relearning | null> {
    const relearning = this.#relearning.get(only);
    return relearning === undefined ? null : { ...relearning, fill: this.#refills.donor };
  }

  async filled(): Promise<void> {
    this.#refills.filled();
  }

  /** Whatever local writes do meanwhile. */
  get isRelearning(): boolean {
    return this.#relearning.get(only) !== undefined;
  }

  async setOpen(isOpen: boolean): Promise<void> {
    const relearning = this.#relearning.get(only);
    if (relearning === undefined || this.#refills.donor !== null) return;
    this.#database.transact(true, () => this.#relearning.put(only, { ...relearning, isOpen }));
    if (!isOpen) this.#database.disconnect();
  }

  async relearnt(whole: WholePast | null): Promise<void> {
    this.#database.transact(true, () => {
      this.#relearning.delete(only);
      if (whole !== null) raiseWhole(this.#whole, whole);
    });
    this.#refills.learnt();
  }

  /** On an operator's word, which makes nothing whole that is half filled. */
  async accept(): Promise<void> {
    if (this.#refills.donor === null) this.#database.transact(true, () => this.#relearning.delete(only));
  }

  /** In a transaction. What was still to be learnt before comes first, and every promise counts. */
  begin({ past, promised, sinceMs, firstJob, isEmptied }: Renewal): void {
    const before = this.#relearning.get(only);
    const known = before?.pasts ?? [];
    const isKnown = known.some(({ incarnation }) => sameIncarnation(incarnation, past.incarnation));
    const pasts = isKnown ? known : [...known, past];
    this.#relearning.put(only, {
      pasts: isEmptied ? pasts.map((each) => ({ ...each, through: 0n })) : pasts,
      promised: before === undefined ? promised : joined(before.promised, promised),
      sinceMs,
      firstJob,
      isOpen: false,
    });
  }
}

/** `null` where one of them is unknown. */
function joined(a: Vector | null, b: Vector | null): Vector | null {
  return a === null || b === null ? null : greatestOf(a, b);
}
