/**
 * The logs as the engine reads them: peers' and the own, with everything opened that comes out of them (P4). Nothing
 * that the region's key did not seal is applied, compared, learnt, counted as a beat or taken for a claim, whoever wrote
 * it there.
 */
import type { ChangeFeed, FeedSubscription, PassedBy } from '../ports/change-feed.ts';
import type { ControlLog } from '../ports/control-log.ts';
import type { RegionId } from '../ports/identity.ts';
import type { LogSealer } from '../ports/log-seal.ts';
import type { LogSpan, OwnLog, OwnLogSource } from '../ports/own-log.ts';
import { type LogOpening, openBytes, OpenedSubscription } from './log-opening.ts';
import { sealedAlone } from './sealed-sink.ts';

export class OpenedFeed implements ChangeFeed {
  readonly #inner: ChangeFeed;
  readonly #opening: LogOpening;

  constructor(inner: ChangeFeed, opening: LogOpening) {
    this.#inner = inner;
    this.#opening = opening;
  }

  subscribe(origin: RegionId, offsets: readonly bigint[], passedBy?: PassedBy): FeedSubscription {
    const of = { region: origin, topic: 'changes', passedBy } as const;
    return new OpenedSubscription(this.#inner.subscribe(origin, offsets), of, this.#opening);
  }

  subscribeProgress(peer: RegionId): FeedSubscription {
    const of = { region: peer, topic: 'progress' } as const;
    return new OpenedSubscription(this.#inner.subscribeProgress(peer), of, this.#opening);
  }
}

export interface OwnOpening extends LogOpening {
  readonly region: RegionId;
}

export interface OwnSeals extends OwnOpening {
  readonly sealer: LogSealer;
}

/** Of either kind of log. */
export class OpenedOwnChanges implements Pick<OwnLog, 'subscribe'> {
  readonly #inner: Pick<OwnLog, 'subscribe'>;
  readonly #own: OwnOpening;

  constructor(inner: Pick<OwnLog, 'subscribe'>, own: OwnOpening) {
    this.#inner = inner;
    this.#own = own;
  }

  subscribe(offsets: readonly bigint[]): FeedSubscription {
    const of = { region: this.#own.region, topic: 'changes' } as const;
    return new OpenedSubscription(this.#inner.subscribe(offsets), of, this.#own);
  }
}

export class OpenedOwnLog extends OpenedOwnChanges implements OwnLog {
  readonly #log: OwnLogSource;
  readonly #own: OwnOpening;

  constructor(log: OwnLogSource, own: OwnOpening) {
    super(log, own);
    this.#log = log;
    this.#own = own;
  }

  spans(partitionCount: number, sinceMs: number | null): Promise<readonly LogSpan[]> {
    return this.#log.spans(partitionCount, sinceMs);
  }

  tail(partitionCount: number): FeedSubscription {
    return this.#opened(this.#log.tail(partitionCount), 'changes');
  }

  claims(): FeedSubscription {
    return this.#opened(this.#log.claims(), 'control');
  }

  /** What was forged after it does not hide it. */
  async newestProgress(): Promise<Uint8Array | null> {
    const place = { region: this.#own.region, topic: 'progress', partition: 0 } as const;
    let newest: Uint8Array | null = null;
    await this.#log.newestProgress((bytes) => {
      newest = openBytes(this.#own, place, { bytes, offset: null });
      return newest !== null;
    });
    return newest;
  }

  #opened(inner: FeedSubscription, topic: 'changes' | 'control'): FeedSubscription {
    return new OpenedSubscription(inner, { region: this.#own.region, topic }, this.#own);
  }
}

/** Claims are sealed as they are made, and what is no claim of ours is not among those that are read. */
export class SealedControlLog implements ControlLog {
  readonly #inner: ControlLog;
  readonly #own: OwnOpening;
  readonly #sealer: LogSealer;

  constructor(inner: ControlLog, own: OwnSeals) {
    this.#inner = inner;
    this.#own = own;
    this.#sealer = own.sealer;
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#inner.append(sealedAlone(this.#sealer, 'control', bytes));
  }

  async read(): Promise<readonly Uint8Array[]> {
    const place = { region: this.#own.region, topic: 'control', partition: 0 } as const;
    const opened = (bytes: Uint8Array) => openBytes(this.#own, place, { bytes, offset: null });
    const claims = await this.#inner.read((bytes) => opened(bytes) !== null);
    return claims.flatMap((bytes) => opened(bytes) ?? []);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
