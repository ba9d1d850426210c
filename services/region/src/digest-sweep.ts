/**
 * Compares digests with a peer: the port `Sweeps`. A collection is clean once both sides' digests were equal at some
 * reading after the moment was first asked about; all of them must have been. Under steady writes to one collection
 * digests are hardly ever equal, so the answer may be long in coming, and is never wrong.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { PeerClient } from '@isthmus/replication/ports/peer-client';
import type { SweepDigests, Sweeps, WantedSweep } from '@isthmus/replication/ports/sweeps';
import type { Digester } from './admin/digest.ts';
import type { RecordType } from './records/record-type.ts';

export interface DigestSweepOptions {
  readonly collections: ReadonlyMap<string, RecordType>;
  readonly digester: Digester;
  readonly client: Pick<PeerClient, 'digests'>;
}

/** Equal digests seen since one moment. */
interface Seen {
  readonly since: string;
  readonly equal: Map<string, string>;
}

export class DigestSweep implements Sweeps {
  readonly #options: DigestSweepOptions;
  readonly #seen = new Map<RegionId, Seen>();

  constructor(options: DigestSweepOptions) {
    this.#options = options;
  }

  async cleanSweepSince(peer: RegionId, wanted: WantedSweep): Promise<SweepDigests | null> {
    const { since, mayCompare, signal } = wanted;
    const { collections } = this.#options;
    const { equal } = this.#since(peer, since);
    const missing = mayCompare ? [...collections.keys()].filter((name) => !equal.has(name)) : [];
    for (const [name, digest] of await this.#compare(peer, missing, signal)) equal.set(name, digest);
    if (signal.aborted || equal.size < collections.size) return null;
    const digests = Object.fromEntries(equal);
    return { own: digests, peer: digests };
  }

  /** Of both sides as they are now, equal or not; without collections of which a side cannot tell. */
  async digests(peer: RegionId, signal: AbortSignal): Promise<SweepDigests> {
    const theirs = await this.#options.client.digests(peer, [...this.#options.collections.keys()], signal);
    const own: Record<string, string> = {};
    for (const name of theirs.keys()) {
      const digest = await this.#own(name, signal);
      if (digest !== null) own[name] = digest;
    }
    return { own, peer: Object.fromEntries(theirs) };
  }

  #since(peer: RegionId, since: string): Seen {
    const known = this.#seen.get(peer);
    if (known !== undefined && known.since === since) return known;
    const seen = { since, equal: new Map<string, string>() };
    this.#seen.set(peer, seen);
    return seen;
  }

  /** Those of the collections whose digests are equal now. */
  async #compare(
    peer: RegionId,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const equal = new Map<string, string>();
    for (const [name, theirs] of await this.#options.client.digests(peer, names, signal))
      if ((await this.#own(name, signal)) === theirs) equal.set(name, theirs);
    return equal;
  }

  /** `null`: nobody waits for it any more, however long it takes; or there is no such collection. */
  #own(name: string, signal: AbortSignal): Promise<string | null> {
    const { collections, digester } = this.#options;
    const type = collections.get(name);
    if (type === undefined || signal.aborted) return Promise.resolve(null);
    return unlessAborted(
      signal,
      digester.digest(name, type).then(({ digest }) => digest),
    );
  }
}

function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const end = (): void => resolve(null);
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}
