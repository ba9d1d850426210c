/**
 * One region in memory for tests of transfers: its stores, its donor, a beat every quarter of a second, and a log that
 * holds everything up to the newest beat while it publishes.
 */
import { schema, register, set, type Schema } from '@isthmus/conflict';
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import type { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { MemoryTombstoneStore } from '@isthmus/replication/adapters/memory/tombstone-store';
import { MemoryTransferJobs } from '@isthmus/replication/adapters/memory/transfer-jobs';
import { MemoryTransferStore } from '@isthmus/replication/adapters/memory/transfer-store';
import { MemoryVerifications } from '@isthmus/replication/adapters/memory/verifications';
import type { RecordId } from '@isthmus/replication/ports/change';
import { actorOf, type Incarnation, parseRegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { StoredRecord } from '@isthmus/replication/ports/record-store';
import { DamagedRecords } from '@isthmus/replication/transfer/damaged-records';
import { Donor } from '@isthmus/replication/transfer/donor';

export const Product = schema({ title: register(), tags: set() });
const beatIntervalMs = 250;
export const epochMs = 1_700_000_000_000;
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

type Edit = Parameters<(typeof Product)['edit']>[2];
type Editing = Parameters<Schema['edit']>[1];

export class MemoryRegion {
  readonly self;
  readonly database: MemoryDatabase;
  readonly records: MemoryRecordStore;
  readonly beats: MemoryBeatStore;
  readonly slots: MemorySlotKeeper;
  readonly transfers: MemoryTransferStore;
  readonly jobs: MemoryTransferJobs;
  readonly tombstones: MemoryTombstoneStore;
  readonly retirements: MemoryRetirementStore;
  readonly verifications: MemoryVerifications;
  readonly damaged: DamagedRecords;
  readonly donor: Donor;
  isPublishing = true;
  readonly #nowMs: () => number;

  constructor(name: string, timer: ManualTimer, incarnation: Incarnation = { counter: 1, nonce: 1 }) {
    const region = parseRegionId(name);
    if (region === null) throw new TypeError(`not a region: ${name}`);
    this.self = { region, incarnation, partitionCount: 4 };
    this.#nowMs = () => epochMs + timer.monotonicMs();
    this.database = new MemoryDatabase({ nowMs: this.#nowMs });
    this.records = new MemoryRecordStore(this.database);
    this.beats = new MemoryBeatStore(this.database, this.records, []);
    this.slots = new MemorySlotKeeper(this.database);
    const { database, records, beats, slots } = this;
    this.jobs = new MemoryTransferJobs(database);
    const { jobs } = this;
    this.transfers = new MemoryTransferStore({ database, records, beats, slots, jobs });
    this.retirements = new MemoryRetirementStore(database, records);
    this.tombstones = new MemoryTombstoneStore({ database, records, horizon: this.transfers.horizon });
    this.verifications = new MemoryVerifications(database);
    this.damaged = new DamagedRecords(this.self);
    let names = 0;
    const newName = (): string => `${name}-${++names}`;
    this.donor = new Donor({ self: this.self, store: this.transfers, timer, logger: silent, newName });
    const tick = (): void => {
      timer.after(beatIntervalMs, () => void this.#beat().then(tick));
    };
    tick();
  }

  /** Edits a record as a caller would; returns the delta. */
  async edit(id: RecordId, edit: Edit, stampMs = this.#nowMs()): Promise<Uint8Array> {
    let delta = new Uint8Array(0);
    const context: Editing = { actor: actorOf(this.self.region, this.self.incarnation), now: stampMs };
    await this.records.commitLocal({
      ids: [id],
      decide: ({ states }) => {
        const edited = Product.edit(states[0] ?? new Uint8Array(0), context, edit);
        delta = new Uint8Array(edited.delta);
        return [{ index: 0, state: edited.state, delta }];
      },
    });
    return delta;
  }

  /** Puts the bytes of another region's record here, as if it had come by the log. */
  async take({ state, ...id }: StoredRecord): Promise<void> {
    const job = await this.jobs.want({
      donor: this.self.region,
      origin: this.self.region,
      cause: 'repair',
      isDryRun: true,
    });
    const decide = () => ({ writes: [{ index: 0, state }], refused: [] });
    await this.transfers.merge({ job, ids: [id], decide });
    await this.jobs.end(job, { state: 'done', detail: '' });
  }

  async state(id: RecordId): Promise<Uint8Array> {
    return (await this.records.read(id)) ?? new Uint8Array(0);
  }

  async #beat(): Promise<void> {
    const hold = await this.beats.tryHold();
    await hold?.beat();
    await hold?.release();
    const { newest } = this.beats;
    const end = this.database.wal.insert;
    if (newest !== null && this.isPublishing)
      await this.beats.storePublished([{ ...newest, end, count: null }]);
  }
}
