/**
 * Removes the tombstones that two barriers have passed (P8), in small transactions and far slower than it could, so
 * that nobody waits for it. A record is looked at again under its lock; one that was written meanwhile is left to later
 * barriers. Purges are ordinary local writes and travel like any; drops are told to nobody. Stopping it anywhere loses
 * nothing.
 */
import { pause } from '../backoff.ts';
import type { RecordId } from '../ports/change.ts';
import type { Clock } from '../ports/clock.ts';
import type { Actor } from '../ports/identity.ts';
import { beginning } from '../ports/record-reader.ts';
import type { LocalWrite, LockedRecords, RecordStore, StoredRecord } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import type { TombstoneStore } from '../ports/tombstone-store.ts';
import { isHiding, judge, type Purge } from './collecting.ts';

export interface CollectorOptions {
  readonly actor: Actor;
  readonly store: Pick<TombstoneStore, 'dead' | 'collect'>;
  readonly records: Pick<RecordStore, 'commitLocal'>;
  readonly purge: Purge;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly signal: AbortSignal;
}

export interface Collected {
  readonly dropped: number;
  readonly purged: number;
}

const batchRecords = 200;
const leastRestMs = 20;
/** So many times the work of a batch is the rest after it. */
const restFactor = 3;

export class Collector {
  readonly #options: CollectorOptions;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** `through`: the newest generation that two barriers have passed. Rejects with what the database rejects with. */
  async run(through: number): Promise<Collected> {
    const { store, timer, signal } = this.#options;
    let [dropped, purged] = [0, 0];
    let after = beginning;
    for (;;) {
      const begunMs = timer.monotonicMs();
      const batch = await store.dead({ after, through, limit: batchRecords });
      const last = batch.at(-1);
      if (last === undefined) return { dropped, purged };
      dropped += await this.#drop(batch, through);
      for (const record of batch) if (isHiding(record.state)) purged += await this.#purge(record);
      after = { collection: last.collection, key: last.key };
      const restMs = Math.max(leastRestMs, (timer.monotonicMs() - begunMs) * restFactor);
      if (!(await pause(timer, restMs, signal))) return { dropped, purged };
    }
  }

  #drop(batch: readonly StoredRecord[], through: number): Promise<number> {
    const { store, actor, clock } = this.#options;
    const nowMs = clock.nowMs();
    const ids = batch.map(({ collection, key }): RecordId => ({ collection, key }));
    return store.collect({ ids, through, decide: (rows) => rows.map((row) => judge(row, { actor, nowMs })) });
  }

  /** Only a row that is still as it was is known to have been seen by everybody. */
  async #purge({ collection, key, state }: StoredRecord): Promise<number> {
    const decide = (locked: LockedRecords): readonly LocalWrite[] => {
      const now = locked.states[0];
      if (now === undefined || Buffer.compare(now, state) !== 0) return [];
      const edited = this.#options.purge.edit(now, this.#context(locked));
      return edited === null ? [] : [{ index: 0, state: edited.state, delta: edited.delta }];
    };
    const commit = await this.#options.records.commitLocal({ ids: [{ collection, key }], decide });
    return commit === null ? 0 : 1;
  }

  #context({ floor, floorMs }: LockedRecords) {
    const { actor, clock } = this.#options;
    return { actor, floor, floorMs, now: Math.floor(clock.nowMs()) };
  }
}
