/** How far a database in memory stands, as sessions ask for it; read in one moment, so that it belongs together. */
import type { Lsn } from '../../ports/change.ts';
import type { PositionRow } from '../../ports/record-store.ts';
import type { SessionPlace, SessionStore } from '../../ports/session-store.ts';
import type { VectorEntry } from '../../ports/vector.ts';
import type { MemoryBeatStore } from './beat-store.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryIdentityRow } from './identity-row.ts';
import type { MemoryIncarnationStore } from './incarnation-store.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemoryRetirementStore } from './retirement-store.ts';
import { wholePasts } from './whole-pasts.ts';

export interface SessionGround {
  readonly database: MemoryDatabase;
  readonly identity: Pick<MemoryIdentityRow, 'row' | 'isProvenNow'>;
  readonly records: MemoryRecordStore;
  readonly beats: Pick<MemoryBeatStore, 'newest'>;
  readonly incarnations: Pick<MemoryIncarnationStore, 'closed'>;
  readonly retirements: Pick<MemoryRetirementStore, 'all'>;
}

export class MemorySessionStore implements SessionStore {
  readonly #ground: SessionGround;

  constructor(ground: SessionGround) {
    this.#ground = ground;
  }

  get era(): number {
    return this.#ground.database.starts;
  }

  async place(): Promise<SessionPlace> {
    const { database, identity, records, beats, incarnations, retirements } = this.#ground;
    const rows = records.allPositions();
    const ahead = [...records.tables.ahead.values()];
    const insertLsn = database.wal.insert;
    const ended = (await retirements.all()).filter(({ final }) => final !== null);
    const retired = ended.map(({ region }) => region);
    const closed = (await incarnations.closed()).filter(({ region }) => !retired.includes(region));
    const finals = ended.flatMap(({ final }) => final ?? []);
    const isCounted = (entry: VectorEntry): boolean => !records.isAwaited({ ...entry, origin: entry.region });
    return {
      incarnation: identity.row.incarnation,
      applied: rows.map((row) => entryOf(row, row.applied)),
      settled: rows.filter((row) => !records.isAwaited(row)).map((row) => entryOf(row, row.settled)),
      ahead,
      whole: wholePasts(records.tables),
      closed: [...closed, ...finals.filter(isCounted)],
      retired,
      insertLsn,
      ownThrough: identity.isProvenNow ? insertLsn : (beats.newest?.lsn ?? 0n),
    };
  }
}

function entryOf({ origin: region, incarnation, partition }: PositionRow, lsn: Lsn): VectorEntry {
  return { region, incarnation, partition, lsn };
}
