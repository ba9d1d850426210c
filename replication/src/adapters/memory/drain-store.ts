/**
 * Whether local writes were taken away, on a database in memory: a part of its identity row, which everything reads that
 * stands for a new connection. Those that were open before write on until they are cut.
 */
import type { Drained, DrainStore } from '../../ports/drain-store.ts';
import type { MemoryBeatStore } from './beat-store.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryIdentityRow } from './identity-row.ts';

export interface MemoryDrainGround {
  readonly database: MemoryDatabase;
  readonly identity: MemoryIdentityRow;
  readonly beats: Pick<MemoryBeatStore, 'newest'>;
}

export class MemoryDrainStore implements DrainStore {
  readonly #ground: MemoryDrainGround;

  constructor(ground: MemoryDrainGround) {
    this.#ground = ground;
  }

  async find(): Promise<Drained | null> {
    const { drained } = this.#ground.identity.row;
    return drained && { sinceMs: drained.sinceMs, beat: drained.beat };
  }

  async begin(): Promise<void> {
    const { database, identity } = this.#ground;
    if (identity.row.drained !== null) return;
    identity.change({ drained: { sinceMs: database.nowMs(), isCut: false, beat: null } });
  }

  async cut(): Promise<void> {
    const { database, identity } = this.#ground;
    const { drained } = identity.row;
    if (drained === null) return;
    identity.change({ drained: { ...drained, isCut: true } });
    database.disconnect();
  }

  /** The next beat may have read its place before the last of those commits, so it is the one after it. */
  async settle(): Promise<boolean> {
    const { identity, beats } = this.#ground;
    const { drained } = identity.row;
    if (drained?.isCut === true && drained.beat === null)
      identity.change({ drained: { ...drained, beat: (beats.newest?.number ?? 0) + 2 } });
    return (identity.row.drained?.beat ?? null) !== null;
  }

  async end(): Promise<void> {
    const { identity } = this.#ground;
    if (identity.row.drained !== null) identity.change({ drained: null });
  }
}
