/**
 * Serves transfers out of snapshots of the own database: the shell around `offer.ts`. A snapshot holds back the
 * clean-up of dead rows in all of Postgres, so few are open at a time, and each is closed after a bounded time however
 * busy its reader is, and sooner where nobody asks for anything of it; the reader goes on under another. It changes
 * nothing and serves any number of readers alike.
 */
import { pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { RecordRange } from '../ports/record-reader.ts';
import type { StoredRecord } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import type { Refusal, TransferAnswer, TransferRequest } from '../ports/transfer-peer.ts';
import type { TransferSnapshot, TransferStore } from '../ports/transfer-store.ts';
import type { Self } from '../reach.ts';
import { difference } from './difference.ts';
import type { Judgement } from './offer.ts';
import { judgeOffer } from './offer.ts';

export interface DonorOptions {
  readonly self: Self;
  readonly store: Pick<TransferStore, 'openSnapshot' | 'published'>;
  readonly timer: Timer;
  readonly logger: Logger;
  /** Makes a name that nobody can guess and that is never used twice. */
  readonly newName: () => string;
}

const maxSnapshots = 2;
const snapshotLifeMs = 60_000;
/** Longer than a reader waits for an answer: where nobody asks for more, the last one was lost, or nobody reads any more. */
const idleLifeMs = 20_000;
const publishWaitMs = 5000;
const publishPollMs = 50;
/** A beat older than this speaks for a transaction that has been open for long. */
const staleBeatMs = 10_000;
/** Records of a range that are looked at for one answer. */
const maxHeld = 4096;
const maxAnswerBytes = 1024 * 1024;
const maxIds = 1024;

interface OpenSnapshot {
  readonly snapshot: TransferSnapshot;
  readonly cancel: () => void;
  cancelIdle: () => void;
  /** Requests under way: one connection answers them one after the other. */
  busy: Promise<unknown>;
}

export class Donor {
  readonly #options: DonorOptions;
  readonly #open = new Map<string, OpenSnapshot>();
  readonly #end = new AbortController();
  #opening = 0;

  constructor(options: DonorOptions) {
    this.#options = options;
  }

  /** Snapshots that are open. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Rejects with what the database rejects with. */
  async answer(request: TransferRequest): Promise<TransferAnswer> {
    if (request.kind === 'open') return this.#offer();
    const open = this.#open.get(request.snapshot);
    if (open === undefined) return refuse('snapshot-gone', 'the snapshot was closed or its time is up');
    if (request.kind === 'close') {
      await this.#close(request.snapshot);
      return { kind: 'closed' };
    }
    const work = open.busy.then(() => serve(open.snapshot, request));
    open.busy = work.catch(() => undefined);
    open.cancelIdle();
    try {
      const answer = await work;
      open.cancelIdle();
      if (this.#open.has(request.snapshot)) open.cancelIdle = this.#whenIdle(request.snapshot);
      return answer;
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      await this.#close(request.snapshot);
      return refuse('snapshot-gone', reason.message);
    }
  }

  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all([...this.#open.keys()].map((name) => this.#close(name)));
  }

  async #offer(): Promise<TransferAnswer> {
    if (this.#open.size + this.#opening >= maxSnapshots || this.#end.signal.aborted)
      return refuse('busy', `${this.#open.size} snapshots are open, at most ${maxSnapshots} are`);
    this.#opening++;
    try {
      const snapshot = await this.#options.store.openSnapshot();
      return await this.#judged(snapshot);
    } finally {
      this.#opening--;
    }
  }

  async #judged(snapshot: TransferSnapshot): Promise<TransferAnswer> {
    const judgement = await this.#untilPublished(snapshot).catch(async (reason: unknown) => {
      await snapshot.close();
      throw reason;
    });
    if (judgement.kind !== 'serve' || this.#end.signal.aborted) {
      await snapshot.close();
      return judgement.kind === 'refuse'
        ? refuse(judgement.refusal, judgement.detail)
        : refuse(
            'unpublished',
            `the own log does not hold what the snapshot shows after ${publishWaitMs} ms`,
          );
    }
    const { beatAgeMs } = judgement.offer;
    if (beatAgeMs > staleBeatMs)
      this.#options.logger.warn(
        { beatAgeMs },
        'a long writing transaction holds back what transfers can prove',
      );
    const name = this.#keep(snapshot);
    return { kind: 'offer', offer: { ...judgement.offer, snapshot: name } };
  }

  async #untilPublished(snapshot: TransferSnapshot): Promise<Judgement> {
    const { self, store, timer } = this.#options;
    const { standing } = snapshot;
    const endMs = timer.monotonicMs() + publishWaitMs;
    for (;;) {
      const judgement = judgeOffer(self, standing, await store.published(standing.beat?.lsn ?? 0n));
      if (judgement.kind !== 'wait' || timer.monotonicMs() > endMs) return judgement;
      if (!(await pause(timer, publishPollMs, this.#end.signal))) return judgement;
    }
  }

  #keep(snapshot: TransferSnapshot): string {
    const { timer, newName } = this.#options;
    const name = newName();
    const cancel = timer.after(snapshotLifeMs, () => void this.#close(name));
    const cancelIdle = this.#whenIdle(name);
    this.#open.set(name, { snapshot, cancel, cancelIdle, busy: Promise.resolve() });
    return name;
  }

  #whenIdle(name: string): () => void {
    return this.#options.timer.after(idleLifeMs, () => void this.#close(name));
  }

  async #close(name: string): Promise<void> {
    const open = this.#open.get(name);
    if (open === undefined) return;
    this.#open.delete(name);
    open.cancel();
    open.cancelIdle();
    await open.busy;
    await open.snapshot.close();
  }
}

type Reading = Exclude<TransferRequest, { readonly kind: 'open' | 'close' }>;

async function serve(snapshot: TransferSnapshot, request: Reading): Promise<TransferAnswer> {
  switch (request.kind) {
    case 'ranges':
      return { kind: 'ranges', ranges: await snapshot.ranges(request.after) };
    case 'fetch':
      return fetch(snapshot, request.range, request.have);
    case 'states':
      return { kind: 'states', states: await boundedStates(snapshot, request.ids) };
  }
}

async function fetch(
  snapshot: TransferSnapshot,
  range: RecordRange,
  have: readonly Uint8Array[],
): Promise<TransferAnswer> {
  const { records: held, through: heldThrough } = await snapshot.hashes(range, maxHeld);
  const { wanted, lacking } = difference(held, have);
  const states = await boundedStates(snapshot, wanted);
  const records: StoredRecord[] = [];
  for (const [index, state] of states.entries()) {
    const id = wanted[index];
    if (id !== undefined) records.push({ ...id, state });
  }
  const last = states.length === wanted.length ? heldThrough : records.at(-1);
  const { collection, key } = last ?? range.until;
  return { kind: 'records', fetched: { records, through: { collection, key }, lacking } };
}

/** At least one, and then as many as fit. */
async function boundedStates(
  snapshot: TransferSnapshot,
  ids: readonly { readonly collection: string; readonly key: string }[],
): Promise<readonly Uint8Array[]> {
  const states: Uint8Array[] = [];
  let bytes = 0;
  const bounded = ids.slice(0, maxIds);
  // A few at first: they may be so large that no more fit.
  for (let step = 4; states.length < bounded.length && bytes < maxAnswerBytes; step = 32) {
    const next = bounded.slice(states.length, states.length + step);
    for (const state of await snapshot.states(next)) {
      if (states.length > 0 && bytes + state.length > maxAnswerBytes) return states;
      bytes += state.length;
      states.push(state);
    }
  }
  return states;
}

function refuse(refusal: Refusal, detail: string): TransferAnswer {
  return { kind: 'refused', refusal, detail };
}
