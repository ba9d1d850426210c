/** Retired regions on a database in memory, by the same contract as on Postgres. */
import type { RegionId } from '../../ports/identity.ts';
import type { PositionRow } from '../../ports/record-store.ts';
import type { Agreement, Retirement, RetirementStore } from '../../ports/retirement-store.ts';
import type { Vector } from '../../ports/vector.ts';
import { fits, sameRegions } from '../../agreed.ts';
import { lacking } from '../../vector.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemoryTable } from './table.ts';

interface Retired {
  readonly region: RegionId;
  readonly wish: RegionId | null;
  readonly final: Vector | null;
  readonly heir: RegionId | null;
}

export class MemoryRetirementStore implements RetirementStore {
  readonly #database: MemoryDatabase;
  readonly #records: MemoryRecordStore;
  readonly #retired: MemoryTable<Retired>;

  constructor(database: MemoryDatabase, records: MemoryRecordStore) {
    this.#database = database;
    this.#records = records;
    this.#retired = database.table('retired');
  }

  async all(): Promise<readonly Retirement[]> {
    return [...this.#retired.values()]
      .toSorted((a, b) => (a.region < b.region ? -1 : 1))
      .map(({ region, wish, final, heir }) => {
        const settled = this.#rows(region, ({ settled: lsn }) => lsn);
        return { region, wish, final, heir, isReached: final !== null && lacking(settled, final) === null };
      });
  }

  async position(region: RegionId): Promise<Vector> {
    return this.#rows(region, ({ applied }) => applied);
  }

  async close(region: RegionId, wish: RegionId | null): Promise<Vector> {
    this.#database.transact(true, () => {
      this.#records.closeOrigin(region);
      if (this.#retired.get(region) === undefined)
        this.#retired.put(region, { region, wish, final: null, heir: null });
    });
    return this.position(region);
  }

  async retire(region: RegionId, agreed: Agreement, closed: readonly RegionId[]): Promise<boolean> {
    const known = this.#retired.get(region);
    if (known === undefined || lacking(agreed.final, await this.position(region)) !== null) return false;
    const areThese = sameRegions(
      [...this.#retired.values()].map((each) => each.region),
      closed,
    );
    if (!areThese || !fits(agreed, known)) return false;
    this.#database.transact(true, () => this.#retired.put(region, { ...known, ...agreed }));
    return true;
  }

  #rows(origin: RegionId, lsnOf: (row: PositionRow) => bigint): Vector {
    return (this.#records.tables.positions.get(origin) ?? []).map((row) => {
      const { incarnation, partition } = row;
      return { region: origin, incarnation, partition, lsn: lsnOf(row) };
    });
  }
}
