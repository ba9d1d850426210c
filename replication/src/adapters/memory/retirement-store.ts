/** Retired regions on a database in memory, by the same contract as on Postgres. */
import type { RegionId } from '../../ports/identity.ts';
import type { PositionRow } from '../../ports/record-store.ts';
import type { Agreement, Retirement, RetirementStore } from '../../ports/retirement-store.ts';
import type { Vector } from '../../ports/vector.ts';
import { lacking } from '../../vector.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemoryTable } from './table.ts';

interface Retired {
  readonly region: RegionId;
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
      .map(({ region, final, heir }) => {
        const settled = this.#rows(region, ({ settled: lsn }) => lsn);
        return { region, final, heir, isReached: final !== null && lacking(settled, final) === null };
      });
  }

  async position(region: RegionId): Promise<Vector> {
    return this.#rows(region, ({ applied }) => applied);
  }

  async close(region: RegionId): Promise<Vector> {
    this.#database.transact(true, () => {
      this.#records.closeOrigin(region);
      if (this.#retired.get(region) === undefined)
        this.#retired.put(region, { region, final: null, heir: null });
    });
    return this.position(region);
  }

  async retire(region: RegionId, { final, heir }: Agreement): Promise<boolean> {
    const known = this.#retired.get(region);
    if (known === undefined || lacking(final, await this.position(region)) !== null) return false;
    const isSame =
      (known.final === null || isEqual(known.final, final)) && (known.heir === null || known.heir === heir);
    if (isSame) this.#database.transact(true, () => this.#retired.put(region, { region, final, heir }));
    return isSame;
  }

  #rows(origin: RegionId, lsnOf: (row: PositionRow) => bigint): Vector {
    return (this.#records.tables.positions.get(origin) ?? []).map((row) => {
      const { incarnation, partition } = row;
      return { region: origin, incarnation, partition, lsn: lsnOf(row) };
    });
  }
}

function isEqual(a: Vector, b: Vector): boolean {
  return lacking(a, b) === null && lacking(b, a) === null;
}
