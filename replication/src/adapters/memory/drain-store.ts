/**
 * Whether local writes were taken away, on a database in memory: a part of its identity row, which everything reads that
 * stands for a new connection. Those that were open before write on until they are cut.
 */
import type { Drained, DrainStore } from '../../ports/drain-store.ts';
import type { MemoryBeatStore } from './beat-store.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryIdentityRow } from './identity-row.ts';
import type { MemoryRefillStore } from './refill-store.ts';

export interface MemoryDrainGround {
  readonly database: MemoryDatabase;
  readonly identity: MemoryIdentityRow;
  readonly beats: Pick<MemoryBeatStore, 'newest'>;
  readonly refills: Pick<MemoryRefillStore, 'joinAfter'>;
}

export class MemoryDrainStore implements DrainStore {
  readonly #ground: MemoryDrainGround;

  constructor(ground: MemoryDrainGround) {
    this.#ground = ground;
  }

  /** Local writes were taken away from every connection. */
  get isCut(): boolean {
    const { database, identity } = this.#ground;
    const { drained } = identity.row;
    return drained !== null && drained.disconnects < database.disconnects;
  }

  async find(): Promise<Drained | null> {
    const { drained } = this.#ground.identity.row;
    return drained && { sinceMs: drained.sinceMs, beat: drained.beat };
  }

  async begin(): Promise<void> {
    const { database, identity } = this.#ground;
    if (identity.row.drained !== null) return;
    const { disconnects } = database;
    identity.change({ drained: { sinceMs: database.nowMs(), disconnects, beat: null } });
  }

  async cut(): Promise<void> {
    const { database, identity } = this.#ground;
    if (identity.row.drained !== null) database.disconnect();
  }

  /** The next beat may have read its place before the last of those commits, so it is the one after it. */
  async settle(): Promise<boolean> {
    const { identity, beats } = this.#ground;
    const { drained } = identity.row;
    if (drained !== null && drained.beat === null && this.isCut)
      identity.change({ drained: { ...drained, beat: (beats.newest?.number ?? 0) + 2 } });
    return (identity.row.drained?.beat ?? null) !== null;
  }

  async end(): Promise<void> {
    const { identity, refills } = this.#ground;
    if (!refills.joinAfter() && identity.row.drained !== null) identity.change({ drained: null });
  }
}
