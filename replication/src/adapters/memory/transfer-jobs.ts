/** Transfer jobs on a database in memory, by the same contract as on Postgres. */
import { assert } from '../../errors.ts';
import type { RegionId } from '../../ports/identity.ts';
import {
  nothingCounted,
  type TransferJob,
  type TransferJobs,
  type TransferPlace,
  type TransferWish,
} from '../../ports/transfer-jobs.ts';
import { beginning } from '../../ports/record-reader.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

const shownJobs = 100;
const keptJobs = 200;

export class MemoryTransferJobs implements TransferJobs {
  readonly #database: MemoryDatabase;
  readonly #jobs: MemoryTable<TransferJob>;

  constructor(database: MemoryDatabase) {
    this.#database = database;
    this.#jobs = database.table('transfer');
  }

  /** No job has it or a higher one yet. */
  get nextNumber(): number {
    return [...this.#jobs.values()].reduce((highest, { id }) => Math.max(highest, id), 0) + 1;
  }

  async want(wish: TransferWish): Promise<number> {
    const joined = [...this.#jobs.values()].find(
      (job) => isOpen(job) && job.donor === wish.donor && job.isDryRun === wish.isDryRun,
    );
    if (joined !== undefined) return joined.id;
    const id = this.nextNumber;
    const place = { cursor: beginning, vector: null, beats: [], counts: nothingCounted };
    const times = { wantedAtMs: this.#database.nowMs(), startedAtMs: null, endedAtMs: null };
    this.#put({ ...wish, id, state: 'wanted', place, ...times, detail: '' });
    return id;
  }

  /** `null`: there is no such job. */
  donorOf(id: number): RegionId | null {
    return this.#jobs.get(String(id))?.donor ?? null;
  }

  async open(): Promise<readonly TransferJob[]> {
    return [...this.#jobs.values()].filter(isOpen).toSorted((a, b) => a.id - b.id);
  }

  async find(id: number): Promise<TransferJob | null> {
    return this.#jobs.get(String(id)) ?? null;
  }

  async recent(): Promise<readonly TransferJob[]> {
    return [...this.#jobs.values()].toSorted((a, b) => b.id - a.id).slice(0, shownJobs);
  }

  async start(id: number): Promise<void> {
    const nowMs = this.#database.nowMs();
    this.#change(id, (job) => ({
      ...job,
      state: 'running',
      startedAtMs: job.startedAtMs ?? nowMs,
    }));
  }

  async note(id: number, place: TransferPlace): Promise<void> {
    this.#change(id, (job) => ({ ...job, place, detail: '' }));
  }

  async postpone(id: number, detail: string): Promise<void> {
    this.#change(id, (job) => ({ ...job, detail }));
  }

  async end(
    id: number,
    outcome: { readonly state: 'done' | 'failed'; readonly detail: string },
  ): Promise<void> {
    this.#change(id, (job) => ({ ...job, ...outcome, endedAtMs: this.#database.nowMs() }));
    const old = this.#jobs.get(String(id - keptJobs));
    if (old !== undefined && !isOpen(old))
      this.#database.transact(true, () => this.#jobs.delete(String(old.id)));
  }

  /** In a transaction: what is open comes to nothing. */
  failAll(detail: string): void {
    const endedAtMs = this.#database.nowMs();
    for (const job of [...this.#jobs.values()].filter(isOpen))
      this.#jobs.put(String(job.id), { ...job, state: 'failed', endedAtMs, detail });
  }

  #change(id: number, change: (job: TransferJob) => TransferJob): void {
    const job = this.#jobs.get(String(id));
    assert(job !== undefined, `there is no job ${id}`);
    if (isOpen(job)) this.#put(change(job));
  }

  #put(job: TransferJob): void {
    this.#database.transact(true, () => this.#jobs.put(String(job.id), job));
  }
}

function isOpen({ state }: TransferJob): boolean {
  return state === 'wanted' || state === 'running';
}
