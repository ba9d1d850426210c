/**
 * Asks a peer's admin listener which of our beats it holds and how far it has written, and says what to answer when a
 * peer asks us. A request is bounded in time from the first byte of connecting to the last of the answer, and the
 * answer in bytes. Whatever goes wrong is the same outcome, no answer, because that is all that the link monitor
 * needs; an answer of another region, or about another incarnation of ours, never counts as an echo. What a peer of an
 * earlier version does not say is unknown.
 */
import http from 'node:http';
import https from 'node:https';
import { ReplicationError } from '@isthmus/replication/errors';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import {
  type Incarnation,
  maxIncarnationNumber,
  parseRegionId,
  type RegionId,
  sameIncarnation,
} from '@isthmus/replication/ports/identity';
import type { LinkWatch } from '@isthmus/replication/links/link-watch';
import type { PeerClient, PeerEcho } from '@isthmus/replication/ports/peer-client';
import { decodeVector } from '@isthmus/replication/log/offer-bytes';
import type { PeerMemory, RememberedBeat } from '@isthmus/replication/ports/peer-memory';
import { furthestOf } from '@isthmus/replication/reach';
import { writtenMark } from '@isthmus/replication/written-mark';
import type {
  FinalWitness,
  RetirementWitness,
  RetirementWord,
} from '@isthmus/replication/ports/retirement-witness';
import type { Vector } from '@isthmus/replication/ports/vector';
import { z } from 'zod';

const defaultTimeoutMs = 1000;
/** A digest reads its whole collection. */
const digestTimeoutMs = 30_000;
const maxAnswerBytes = 4096;
/** A vector has an entry for each partition of each life. */
const maxVectorBytes = 1024 * 1024;
const maxRegions = 1024;

export interface EchoAnswer extends PeerEcho {
  /** Who answers. */
  readonly region: RegionId;
  /** The incarnation of the caller that the beat belongs to; `null` without a beat. */
  readonly incarnation: Incarnation | null;
  /** What the beat said of itself, by the caller's database; the place in decimal. `null` without a beat. */
  readonly made: { readonly lsn: string; readonly atMs: number } | null;
  /** How far that life is applied here where it is furthest, in decimal. */
  readonly applied: string | null;
}

const incarnationOf = z.object({
  counter: z.int().positive().max(maxIncarnationNumber),
  nonce: z.int().nonnegative().max(maxIncarnationNumber),
});
const written = z.object({
  incarnation: incarnationOf,
  beat: z.int().nonnegative(),
  count: z.int().nonnegative().nullable(),
});
const longestPlace = 20;
const place = z.string().regex(/^\d+$/).max(longestPlace).transform(BigInt);
const made = z.object({ lsn: place, atMs: z.number().nonnegative() });
const echoAnswer = z.object({
  region: z.string(),
  incarnation: incarnationOf.nullable(),
  echoedBeat: z.int().nonnegative().nullable(),
  changesAgeMs: z.number().nonnegative().nullable().default(null),
  written: written.nullable().default(null),
  made: made.nullable().default(null),
  applied: place.nullable().default(null),
  namesCaller: z.boolean().nullable().default(null),
});
const retiredAnswer = z.object({ retired: z.array(z.object({ region: z.string() })) });
const regionName = z.string().transform((name, context): RegionId => {
  const region = parseRegionId(name);
  if (region !== null) return region;
  context.addIssue('takes the name of a region');
  return z.NEVER;
});
const vectorText = z.base64().transform((text, context): Vector => {
  const vector = vectorIn(text);
  if (vector !== null) return vector;
  context.addIssue('takes a vector');
  return z.NEVER;
});
const wordAnswer = z.object({
  region: z.string(),
  survivors: z.array(regionName).max(maxRegions),
  position: vectorText,
  wish: regionName.nullable(),
  agreed: z.object({ final: vectorText, heir: regionName }).nullable(),
});
const finalAnswer = z.object({ region: z.string(), final: vectorText.nullable() });
const digestAnswer = z.object({ digest: z.string().max(128) });

export interface HttpPeerClientOptions {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  /** Base address of each peer's admin listener, without a slash at the end. */
  readonly admins: ReadonlyMap<RegionId, string>;
  readonly timeoutMs?: number;
}

export class HttpPeerClient implements PeerClient, PeerMemory, RetirementWitness, FinalWitness {
  readonly #options: HttpPeerClientOptions;
  readonly #plain = new http.Agent({ keepAlive: true, maxSockets: 2 });
  readonly #secure = new https.Agent({ keepAlive: true, maxSockets: 2 });
  #isClosed = false;
  readonly #underWay = new Set<http.ClientRequest>();

  constructor(options: HttpPeerClientOptions) {
    this.#options = options;
  }

  async ping(peer: RegionId): Promise<PeerEcho | null> {
    const { region, incarnation, admins } = this.#options;
    const admin = admins.get(peer);
    if (admin === undefined) return null;
    const body = await this.#get(new URL(`${admin}/v1/echo?region=${region}`), this.#inTime);
    const answer = echoAnswer.safeParse(body);
    if (!answer.success || answer.data.region !== peer) return null;
    const { incarnation: told, echoedBeat, changesAgeMs, written: peerWritten, namesCaller } = answer.data;
    const isOurs = told !== null && sameIncarnation(told, incarnation);
    return { echoedBeat: isOurs ? echoedBeat : null, changesAgeMs, written: peerWritten, namesCaller };
  }

  async rememberedBy(peer: RegionId): Promise<RememberedBeat | 'nothing' | null> {
    const { region, admins } = this.#options;
    const admin = admins.get(peer);
    if (admin === undefined) return null;
    const body = await this.#get(new URL(`${admin}/v1/echo?region=${region}`), this.#inTime);
    const answer = echoAnswer.safeParse(body);
    if (!answer.success || answer.data.region !== peer) return null;
    const { incarnation, echoedBeat: number, made: told, applied } = answer.data;
    return incarnation === null || number === null ? 'nothing' : { incarnation, number, made: told, applied };
  }

  async closedAt(peer: RegionId): Promise<readonly RegionId[] | null> {
    const { admins } = this.#options;
    const admin = admins.get(peer);
    if (admin === undefined) return null;
    const body = await this.#get(new URL(`${admin}/v1/retired`), this.#inTime, maxVectorBytes);
    const answer = retiredAnswer.safeParse(body);
    if (!answer.success) return null;
    return answer.data.retired.map(({ region }) => parseRegionId(region)).filter((region) => region !== null);
  }

  async wordOf(peer: RegionId, region: RegionId): Promise<RetirementWord | null> {
    const admin = this.#options.admins.get(peer);
    if (admin === undefined) return null;
    const url = new URL(`${admin}/v1/retired/${region}`);
    const answer = wordAnswer.safeParse(await this.#get(url, this.#inTime, 2 * maxVectorBytes));
    if (!answer.success || answer.data.region !== region) return null;
    const { survivors, position, wish, agreed } = answer.data;
    const isOfRegion = isOnlyOf(region, position) && isOnlyOf(region, agreed?.final ?? []);
    return isOfRegion ? { survivors, position, wish, agreed } : null;
  }

  async finalOf(peer: RegionId, region: RegionId): Promise<Vector | null> {
    const admin = this.#options.admins.get(peer);
    if (admin === undefined) return null;
    const url = new URL(`${admin}/v1/regions/${region}/final`);
    const answer = finalAnswer.safeParse(await this.#get(url, this.#inTime, maxVectorBytes));
    if (!answer.success || answer.data.region !== region) return null;
    const { final } = answer.data;
    return final !== null && isOnlyOf(region, final) ? final : null;
  }

  async digests(
    peer: RegionId,
    collections: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const admin = this.#options.admins.get(peer);
    if (admin === undefined) return found;
    for (const collection of collections) {
      if (signal.aborted) break;
      const url = new URL(`${admin}/v1/digests/${encodeURIComponent(collection)}`);
      const within = AbortSignal.any([signal, AbortSignal.timeout(digestTimeoutMs)]);
      const answer = digestAnswer.safeParse(await this.#get(url, within));
      if (answer.success) found.set(collection, answer.data.digest);
    }
    return found;
  }

  /** Of a request that begins now. */
  get #inTime(): AbortSignal {
    return AbortSignal.timeout(this.#options.timeoutMs ?? defaultTimeoutMs);
  }

  /** What is asked ends; also what still waits for a connection, which an agent would open even now. */
  close(): void {
    this.#isClosed = true;
    for (const request of this.#underWay) request.destroy();
    this.#plain.destroy();
    this.#secure.destroy();
  }

  /** The JSON of an answer 200; `null` for everything else. */
  async #get(url: URL, signal: AbortSignal, maxBytes = maxAnswerBytes): Promise<unknown> {
    if (this.#isClosed) return null;
    try {
      const response = await this.#request(url, signal);
      const body = response.statusCode === 200 ? await boundedBody(response, maxBytes) : null;
      response.destroy();
      return body === null ? null : JSON.parse(body);
    } catch {
      return null;
    }
  }

  #request(url: URL, signal: AbortSignal): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? https.get(url, { agent: this.#secure, signal })
          : http.get(url, { agent: this.#plain, signal });
      this.#underWay.add(request);
      request.on('response', resolve);
      request.on('error', reject);
      request.once('close', () => this.#underWay.delete(request));
    });
  }
}

function isOnlyOf(region: RegionId, vector: Vector): boolean {
  return vector.every((entry) => entry.region === region);
}

/** `null`: what no region would say. */
function vectorIn(text: string): Vector | null {
  try {
    return decodeVector(Buffer.from(text, 'base64'));
  } catch (reason) {
    if (reason instanceof ReplicationError) return null;
    throw reason;
  }
}

/** `null`: longer than an answer can be. */
async function boundedBody(response: http.IncomingMessage, maxBytes: number): Promise<string | null> {
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) {
    body += String(chunk);
    if (body.length > maxBytes) return null;
  }
  return body;
}

export interface EchoSources {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly peers: readonly RegionId[];
  readonly beats: Pick<BeatStore, 'overview'>;
  readonly links: Pick<LinkWatch, 'dataAgeMs'>;
}

/** What to answer a peer that asks which of its beats we hold. */
export async function answerEcho(sources: EchoSources, caller: RegionId): Promise<EchoAnswer> {
  const { region, incarnation, peers, beats, links } = sources;
  const overview = await beats.overview();
  const heard = overview.heard.find(({ origin }) => origin === caller);
  const rows = overview.positions.filter(({ origin }) => origin === caller);
  const applied = heard === undefined ? null : furthestOf(rows, heard.incarnation);
  return {
    region,
    incarnation: heard?.incarnation ?? null,
    echoedBeat: heard?.beat.number ?? null,
    made: heard === undefined ? null : { lsn: String(heard.beat.lsn), atMs: heard.beat.atMs },
    applied: applied === null ? null : String(applied),
    changesAgeMs: links.dataAgeMs(caller),
    written: writtenMark(incarnation, overview.own),
    namesCaller: peers.includes(caller),
  };
}
