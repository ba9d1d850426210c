/**
 * Asks peers that live in the same memory, as their admin listeners answer over HTTP: what fails or does not come in time
 * is no answer. A bug of the peer is not hidden by that.
 */
import { ReplicationError } from '../../errors.ts';
import type { BeatStore } from '../../ports/beat-store.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../../ports/identity.ts';
import type { PeerClient, PeerEcho } from '../../ports/peer-client.ts';
import type { PeerMemory, RememberedBeat } from '../../ports/peer-memory.ts';
import type { Timer } from '../../ports/timer.ts';
import { furthestOf } from '../../reach.ts';
import { writtenMark } from '../../written-mark.ts';
import { silence } from './silence.ts';

/** How a peer answers. Each may reject with what its database rejects with, and take for ever. */
export interface MemoryPeer {
  readonly echo: (caller: Caller) => Promise<PeerEcho>;
  readonly remembered: (caller: RegionId) => Promise<RememberedBeat | 'nothing'>;
  /** `null`: it has no collection of that name. */
  readonly digest: (collection: string) => Promise<string | null>;
}

export interface Caller {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
}

export interface MemoryPeerClientOptions extends Caller {
  readonly peers: ReadonlyMap<RegionId, MemoryPeer>;
  readonly timer: Timer;
}

/** What a peer answers from. */
export interface AskedStores {
  readonly incarnation: Incarnation;
  readonly peers: readonly RegionId[];
  readonly beats: Pick<BeatStore, 'overview'>;
  /** How long ago changes of the caller last moved its positions; `null`: it cannot tell. */
  readonly dataAgeMs: (caller: RegionId) => number | null;
}

const pingTimeoutMs = 1000;
/** A digest reads its whole collection. */
const digestTimeoutMs = 30_000;

export async function echoOf(asked: AskedStores, { region, incarnation }: Caller): Promise<PeerEcho> {
  const overview = await asked.beats.overview();
  const heard = overview.heard.find(({ origin }) => origin === region);
  const isOurs = heard !== undefined && sameIncarnation(heard.incarnation, incarnation);
  return {
    echoedBeat: isOurs ? heard.beat.number : null,
    changesAgeMs: asked.dataAgeMs(region),
    written: writtenMark(asked.incarnation, overview.own),
    namesCaller: asked.peers.includes(region),
  };
}

export async function rememberedAt(
  asked: AskedStores,
  caller: RegionId,
): Promise<RememberedBeat | 'nothing'> {
  const overview = await asked.beats.overview();
  const heard = overview.heard.find(({ origin }) => origin === caller);
  if (heard === undefined) return 'nothing';
  const { incarnation, beat } = heard;
  const { number, lsn, atMs } = beat;
  const rows = overview.positions.filter(({ origin }) => origin === caller);
  return { incarnation, number, made: { lsn, atMs }, applied: furthestOf(rows, incarnation) };
}

export class MemoryPeerClient implements PeerClient, PeerMemory {
  readonly #options: MemoryPeerClientOptions;

  constructor(options: MemoryPeerClientOptions) {
    this.#options = options;
  }

  async ping(peer: RegionId): Promise<PeerEcho | null> {
    const asked = this.#options.peers.get(peer);
    return asked === undefined ? null : this.#inTime(pingTimeoutMs, asked.echo(this.#options));
  }

  async rememberedBy(peer: RegionId): Promise<RememberedBeat | 'nothing' | null> {
    const { peers, region } = this.#options;
    const asked = peers.get(peer);
    return asked === undefined ? null : this.#inTime(pingTimeoutMs, asked.remembered(region));
  }

  async digests(
    peer: RegionId,
    collections: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const asked = this.#options.peers.get(peer);
    if (asked === undefined) return found;
    for (const collection of collections) {
      if (signal.aborted) break;
      const digest = await this.#inTime(digestTimeoutMs, asked.digest(collection), signal);
      if (digest !== null) found.set(collection, digest);
    }
    return found;
  }

  #inTime<T>(timeoutMs: number, answer: Promise<T>, signal?: AbortSignal): Promise<T | null> {
    const { over, letGo } = silence(this.#options.timer, timeoutMs, signal);
    return Promise.race([answer.catch(noAnswer), over.then(() => null)]).finally(letGo);
  }
}

/** What a failure of a peer comes to; a bug is thrown on. */
export function noAnswer(reason: unknown): null {
  if (reason instanceof ReplicationError) return null;
  throw reason;
}
