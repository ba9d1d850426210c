/**
 * What a retired region acknowledged and nobody keeps (P6), on its own admin listener: a stream of JSON lines, a head,
 * a row for each record and an end. Who has no end line has not everything. It reads and never writes, and is refused
 * while the region is not retired, because then all of it may still arrive by itself.
 */
import { Readable } from 'node:stream';
import { ReplicationError } from '@isthmus/replication/errors';
import type { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import { encodeVector } from '@isthmus/replication/log/offer-bytes';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import { type RegionId, actorOf } from '@isthmus/replication/ports/identity';
import type { OwnLog } from '@isthmus/replication/ports/own-log';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { FinalWitness } from '@isthmus/replication/ports/retirement-witness';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import type { Vector } from '@isthmus/replication/ports/vector';
import type { Self } from '@isthmus/replication/reach';
import type { Hole } from '@isthmus/replication/transfer/own-tail';
import {
  type Unreplicated,
  type UnreplicatedRow,
  readUnreplicated,
} from '@isthmus/replication/transfer/unreplicated';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import type { RecordType } from '../records/record-type.ts';
import { flagParameter } from './flag-parameter.ts';

export interface UnreplicatedAdmin {
  readonly self: Self;
  readonly peers: readonly RegionId[];
  readonly retirement: Pick<OwnRetirement, 'isRetired'>;
  readonly log: Pick<OwnLog, 'subscribe'>;
  readonly witness: FinalWitness;
  readonly peer: TransferPeer;
  readonly beats: Pick<BeatStore, 'ownBeats'>;
  readonly timer: Timer;
}

export interface UnreplicatedParts {
  readonly unreplicated: UnreplicatedAdmin;
  readonly collections: ReadonlyMap<string, RecordType>;
  readonly store: Pick<RecordStore, 'read'>;
}

const exportVersion = 1;
const mediaType = 'application/x-ndjson';

export function addUnreplicatedRoutes(app: Listener, parts: () => UnreplicatedParts): void {
  app.get('/v1/unreplicated', (request, reply) => answer(parts(), request, reply));
}

async function answer(parts: UnreplicatedParts, request: FastifyRequest, reply: FastifyReply) {
  const admin = parts.unreplicated;
  const { region } = admin.self;
  const dryRun = flagParameter(request, 'dryRun');
  if (!admin.retirement.isRetired)
    throw new Problem(
      'not-retired',
      `The region ${region} was not retired: its peers still take what it writes.`,
    );
  const agreed = await findFinal(admin);
  const { newest } = await admin.beats.ownBeats();
  const until = newest?.lsn ?? 0n;
  const found = await readable(admin, agreed, { until, signal: goneSignal(reply) });
  const head = {
    region,
    survivor: agreed.survivor,
    records: found.rows.length,
    holes: found.holes.map(holeText),
  };
  if (dryRun) return { dryRun, ...head };
  const lines = Readable.from(jsonLines(parts, found, { ...head, final: vectorText(agreed.final) }));
  return reply.type(mediaType).send(lines);
}

interface Agreed {
  readonly survivor: RegionId;
  readonly final: Vector;
}

async function findFinal({ self, peers, witness }: UnreplicatedAdmin): Promise<Agreed> {
  for (const survivor of peers) {
    const final = await witness.finalOf(survivor, self.region);
    if (final !== null) return { survivor, final };
  }
  throw new Problem(
    'no-final-vector',
    `No survivor says up to where it keeps what ${self.region} wrote; of its peers, ${peers.join(', ')}, one has to answer that has finished retiring it.`,
  );
}

async function readable(
  { self, log, peer, timer }: UnreplicatedAdmin,
  { survivor, final }: Agreed,
  of: { readonly until: bigint; readonly signal: AbortSignal },
): Promise<Unreplicated> {
  try {
    return await readUnreplicated({ self, log, peer, timer, survivor, final, ...of });
  } catch (cause) {
    if (!(cause instanceof ReplicationError)) throw cause;
    throw new Problem('export-unavailable', `Nothing was exported: ${cause.message}.`, { cause });
  }
}

/** Aborted when nobody waits for the answer any more. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

async function* jsonLines(parts: UnreplicatedParts, { rows }: Unreplicated, head: object) {
  yield line({ kind: 'export', version: exportVersion, ...head });
  for (const row of rows) yield line(await rowAnswer(parts, row));
  yield line({ kind: 'end', records: rows.length });
}

async function rowAnswer({ unreplicated, collections, store }: UnreplicatedParts, row: UnreplicatedRow) {
  const { id, collection, key, incarnation, changes, lsn, delta, base, needsBase } = row;
  const state = await store.read({ collection, key });
  return {
    kind: 'row',
    id,
    collection,
    key,
    actor: actorOf(unreplicated.self.region, incarnation),
    changes,
    lsn: String(lsn),
    needsBase,
    /** What this region shows, for people; what is issued again follows from the bytes. */
    shown: collections.get(collection)?.view(state ?? new Uint8Array(0))?.value ?? null,
    delta: bytesText(delta),
    base: base === null ? null : bytesText(base),
  };
}

function holeText({ incarnation, partition, after, resumesAt }: Hole): string {
  return `the log of incarnation ${incarnation.counter} lacks partition ${partition} after ${after} up to ${resumesAt}`;
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function bytesText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function vectorText(vector: Vector): string {
  return encodeVector(vector).toString('base64');
}
