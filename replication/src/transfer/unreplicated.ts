/**
 * Exports what a retired region acknowledged and its survivors do not keep (P6, "away too long"): its own log is read
 * from F on, and with each record comes what a survivor holds of it, from which counters count on. Nothing is written
 * here or there. A row's name follows from the life, the record and F alone, so exporting twice names the same thing
 * twice, and who issues it again can tell. It never says "everything" where the log has a hole.
 */
import { createHash } from 'node:crypto';
import { ReplicationError } from '../errors.ts';
import { logRecordOrNull } from '../log/log-record.ts';
import { encodeVector } from '../log/offer-bytes.ts';
import type { Lsn, RecordId } from '../ports/change.ts';
import type { FeedSubscription } from '../ports/change-feed.ts';
import { type RegionId, actorOf } from '../ports/identity.ts';
import type { OwnLog } from '../ports/own-log.ts';
import type { Timer } from '../ports/timer.ts';
import type { TransferPeer } from '../ports/transfer-peer.ts';
import type { Vector } from '../ports/vector.ts';
import type { Self } from '../reach.ts';
import { fetchStates } from './fetch-states.ts';
import { type Hole, OwnTail, type Part, requireHoldable, type TailRow } from './own-tail.ts';

export interface UnreplicatedOptions {
  readonly self: Self;
  readonly log: Pick<OwnLog, 'subscribe'>;
  /** One that has agreed on `final`. */
  readonly survivor: RegionId;
  readonly final: Vector;
  readonly peer: TransferPeer;
  /** The own log is read up to there. */
  readonly until: Lsn;
  readonly part: Part;
  readonly timer: Timer;
  /** Nobody waits for it any more. */
  readonly signal: AbortSignal;
}

export interface UnreplicatedRow extends TailRow {
  readonly id: string;
  /** What the survivor holds of the record; `null`: nothing, so a counter that goes on cannot be told apart. */
  readonly base: Uint8Array | null;
}

export interface Unreplicated {
  readonly rows: readonly UnreplicatedRow[];
  readonly holes: readonly Hole[];
}

/** Silence of the own log after which it is given up. */
const silenceMs = 10_000;
const idBytes = 16;
/** Of all rows together, with what the survivor holds of their records. */
const maxHeldBytes = 128 * 1024 * 1024;

/** Rejects with `log-unavailable`, `peer-unavailable` (both retriable) or `overloaded`, where the part is too large. */
export async function readUnreplicated(options: UnreplicatedOptions): Promise<Unreplicated> {
  const { survivor, peer, timer, signal, final } = options;
  const { rows, holes, bytes } = await readTail(options);
  let held = bytes;
  const onStates = (states: readonly Uint8Array[]): void => {
    held += states.reduce((sum, state) => sum + state.length, 0);
    requireHoldable(held, maxHeldBytes);
  };
  const bases = await fetchStates({ peer, donor: survivor, timer, signal, onStates }, rows);
  const named = rows.map((row, index) => {
    const base = bases[index] ?? null;
    return { ...row, id: idOf(options.self.region, row, final), base };
  });
  return { rows: named, holes };
}

async function readTail({ self, final, until, part, log, timer }: UnreplicatedOptions): Promise<OwnTail> {
  const { partitionCount } = self;
  const tail = new OwnTail({ ...self, final, until, part, maxBytes: maxHeldBytes });
  const subscription = log.subscribe(Array.from({ length: partitionCount }, () => 0n));
  try {
    while (!tail.isThrough) await takeNext(tail, subscription, timer);
  } finally {
    await subscription.close();
  }
  return tail;
}

async function takeNext(tail: OwnTail, subscription: FeedSubscription, timer: Timer): Promise<void> {
  let cancel = (): void => undefined;
  const silence = new Promise<null>((resolve) => {
    cancel = timer.after(silenceMs, () => resolve(null));
  });
  const batch = await Promise.race([subscription.next(), silence]);
  cancel();
  if (batch === null) throw silent();
  for (const { bytes } of batch.records) {
    const record = logRecordOrNull(bytes);
    if (record?.partition === batch.partition) tail.take(record);
  }
}

function silent(): ReplicationError {
  const detail = `the own log was silent for ${silenceMs} ms before it held all that was written`;
  return new ReplicationError('log-unavailable', detail, { retriable: true });
}

function idOf(region: RegionId, { incarnation, collection, key }: TailRow & RecordId, final: Vector): string {
  const hash = createHash('sha256').update(
    JSON.stringify([actorOf(region, incarnation), collection, key]),
    'utf8',
  );
  return hash
    .update(encodeVector(final))
    .digest('hex')
    .slice(0, 2 * idBytes);
}
