/**
 * The identity of a database in memory as one process opened it: which incarnation it is, which start of the server it
 * was last proven on, whether somebody holds its writes, and how it becomes another incarnation. Whoever stands for a
 * connection asks `requireProven` or `requireLearnt` before a write, as those to Postgres do (P1, P9).
 */
import { ReplicationError } from '../../errors.ts';
import type { Beat, Lsn } from '../../ports/change.ts';
import {
  type Adoption,
  type Continuity,
  type IdentityStore,
  type Lineage,
  type NewestBeat,
  marginBeats,
} from '../../ports/identity-store.ts';
import { type Incarnation, sameIncarnation } from '../../ports/identity.ts';
import type { MemoryBeatStore } from './beat-store.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryIdentityRow } from './identity-row.ts';
import type { MemoryIncarnationStore } from './incarnation-store.ts';
import type { MemoryEmptying } from './emptying.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemorySlotKeeper } from './slot-keeper.ts';
import type { MemoryTombstoneStore } from './tombstone-store.ts';
import type { MemoryTransferJobs } from './transfer-jobs.ts';

export interface MemoryIdentityGround {
  readonly database: MemoryDatabase;
  readonly identity: MemoryIdentityRow;
  readonly records: MemoryRecordStore;
  readonly beats: MemoryBeatStore;
  readonly slots: MemorySlotKeeper;
  readonly incarnations: MemoryIncarnationStore;
  readonly jobs: Pick<MemoryTransferJobs, 'nextNumber'>;
  readonly tombstones: Pick<MemoryTombstoneStore, 'answered' | 'beginAnew'>;
  readonly emptying: Pick<MemoryEmptying, 'emptyIfWanted'>;
}

export class MemoryIdentityStore implements IdentityStore {
  readonly #ground: MemoryIdentityGround;
  readonly #opened: Incarnation;
  /** The connection, by how many had been ended before, on which local writes were last found to be taken. */
  #undrainedOn = -1;

  /** Opened as the incarnation that the database is now. */
  constructor(ground: MemoryIdentityGround) {
    this.#ground = ground;
    this.#opened = ground.identity.row.incarnation;
    this.#isDrained();
  }

  get standing(): Continuity['kind'] {
    return this.#judge().kind;
  }

  async continuity(): Promise<Continuity> {
    return this.#judge();
  }

  async newestBeat(): Promise<NewestBeat> {
    const { newest, publishedThrough } = this.#ground.beats;
    return { beat: newest, hasPublished: publishedThrough !== null };
  }

  async insertLsn(): Promise<Lsn> {
    return this.#ground.database.wal.insert;
  }

  async recoveredTo(): Promise<Lsn> {
    const { wal } = this.#ground.database;
    return wal.recoveredTo ?? wal.insert;
  }

  async beats(from: number, to: number): Promise<readonly Beat[]> {
    return this.#ground.beats.between(from, to);
  }

  async prove({ postmasterStart }: Lineage): Promise<void> {
    const { identity } = this.#ground;
    if (identity.row.held === null) identity.change({ provenOn: postmasterStart });
  }

  async hold(reason: string, { isLastWord } = { isLastWord: false }): Promise<void> {
    const { identity, database } = this.#ground;
    identity.change({ held: isLastWord ? reason : (identity.row.held ?? reason) });
    database.disconnect();
  }

  async accept(): Promise<void> {
    const { identity, database, incarnations } = this.#ground;
    identity.change({ provenOn: String(database.starts), held: null, claim: null });
    await incarnations.accept();
  }

  async claim(): Promise<Incarnation | null> {
    return this.#ground.identity.row.claim;
  }

  async noteClaim(claim: Incarnation): Promise<Incarnation> {
    const { identity } = this.#ground;
    const { claim: noted, incarnation } = identity.row;
    if (incarnation.counter >= claim.counter) return incarnation;
    if (noted !== null && noted.counter >= claim.counter) return noted;
    identity.change({ claim });
    return claim;
  }

  async adopt({ claim, promised }: Adoption): Promise<void> {
    const { database, identity, records, beats, slots, incarnations, jobs, tombstones, emptying } =
      this.#ground;
    const { incarnation, claim: noted, drained } = identity.row;
    if (sameIncarnation(incarnation, claim)) return;
    if (noted === null || !sameIncarnation(noted, claim)) throw otherClaim(claim);
    requireFreeSlot(database);
    database.transact(true, () => {
      const beat = beats.followedBy(marginBeats)?.lsn ?? 0n;
      const through = beat > tombstones.answered ? beat : tombstones.answered;
      const isEmptied = emptying.emptyIfWanted();
      const past = { incarnation, through };
      const since = { sinceMs: database.nowMs(), firstJob: jobs.nextNumber };
      incarnations.begin({ past, promised, ...since, isEmptied });
      beats.beginAnew();
      tombstones.beginAnew();
      slots.beginAnew();
      records.setFloors({ ...records.floors, floor: 0 });
      const proven = { incarnation: claim, provenOn: String(database.starts), held: null, claim: null };
      // The beat of the life before would be far ahead of those that begin anew.
      const kept = isEmptied || drained === null ? null : { ...drained, beat: null };
      identity.put({ ...proven, drained: kept });
    });
    database.disconnect();
  }

  /** Throws what a connection for writing is refused with. */
  requireProven(): void {
    const continuity = this.#judge();
    if (continuity.kind === 'same') return;
    if (continuity.kind === 'unproven')
      throw unavailable('writes wait until the server has been compared with the own log');
    throw new ReplicationError('identity-mismatch', `writes are refused: ${continuity.reason}`, {
      retriable: false,
    });
  }

  /** The same for the region's own writes, which wait until the past is learnt, and end where they were taken away. */
  requireLearnt(): void {
    this.requireProven();
    if (this.#isDrained()) throw unavailable('the region is drained: it takes no writes');
    if (this.#ground.incarnations.isClosedToWrites)
      throw unavailable('writes wait until this new incarnation has learnt its past again');
  }

  /** A connection that was open before writes on until it ends. */
  #isDrained(): boolean {
    const { database, identity } = this.#ground;
    const isDrained = identity.row.drained !== null;
    if (!isDrained) this.#undrainedOn = database.disconnects;
    return isDrained && this.#undrainedOn !== database.disconnects;
  }

  #judge(): Continuity {
    const { database, identity } = this.#ground;
    const { incarnation, provenOn, held } = identity.row;
    if (!sameIncarnation(incarnation, this.#opened))
      return { kind: 'renewed', reason: `the database has incarnation ${incarnation.counter}` };
    if (held !== null) return { kind: 'broken', isHeld: true, reason: held };
    const postmasterStart = String(database.starts);
    if (provenOn === postmasterStart) return { kind: 'same' };
    const lineage = { systemIdentifier: '1', timeline: 1, postmasterStart };
    return { kind: 'unproven', isPromoted: false, lineage };
  }
}

/** What it had not handed out yet is emitted by nobody, so nobody may be reading. */
function requireFreeSlot(database: MemoryDatabase): void {
  const lock = database.tryLock('slot');
  if (lock === null)
    throw new ReplicationError('slot-held', 'a relay still reads from the slot', { retriable: true });
  lock.release();
}

function otherClaim({ counter }: Incarnation): ReplicationError {
  const detail = `the claim of incarnation ${counter} is not the one that is under way`;
  return new ReplicationError('identity-mismatch', detail, { retriable: false });
}

function unavailable(message: string): ReplicationError {
  return new ReplicationError('database-unavailable', message, { retriable: true });
}
