/**
 * What a region acknowledged and no peer keeps (P6), on its own admin listener: a stream of JSON lines, a head, a row for
 * each record and an end. Who has no end line has not everything. It reads and never writes, and is refused while the
 * region writes, because then all of it may still arrive by itself. Of a retired region it is what lies beyond the end that
 * the survivors agreed on; of a drained one what lies beyond everything that the peers which answer offer. What is too much
 * for the memory of one answer is asked for in parts, of which each is an export of its own.
 */
import { Readable } from 'node:stream';
import { ReplicationError } from '@isthmus/replication/errors';
import type { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import { encodeVector } from '@isthmus/replication/log/offer-bytes';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import type { DrainStore } from '@isthmus/replication/ports/drain-store';
import { type RegionId, actorOf } from '@isthmus/replication/ports/identity';
import type { OwnLog } from '@isthmus/replication/ports/own-log';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { FinalWitness } from '@isthmus/replication/ports/retirement-witness';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { Vector } from '@isthmus/replication/ports/vector';
import { type SurveyOptions, surveyPeers } from '@isthmus/replication/refill/survey';
import type { Hole, Part } from '@isthmus/replication/transfer/own-tail';
import {
  type Unreplicated,
  type UnreplicatedRow,
  readUnreplicated,
} from '@isthmus/replication/transfer/unreplicated';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { queryParameter } from '../api/requests.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { invalid } from '../records/field-edit.ts';
import type { RecordType } from '../records/record-type.ts';
import type { Shown } from '../records/record-view.ts';
import { UnreadableRecord } from '../records/unreadable-record.ts';
import { flagParameter } from './flag-parameter.ts';

export interface UnreplicatedAdmin extends SurveyOptions {
  readonly drains: Pick<DrainStore, 'find'>;
  readonly retirement: Pick<OwnRetirement, 'isRetired'>;
  readonly log: Pick<OwnLog, 'subscribe'>;
  readonly witness: FinalWitness;
  readonly beats: Pick<BeatStore, 'overview'>;
  readonly timer: Timer;
}

export interface UnreplicatedParts {
  readonly unreplicated: UnreplicatedAdmin;
  readonly collections: ReadonlyMap<string, RecordType>;
  readonly store: Pick<RecordStore, 'read'>;
}

const exportVersion = 1;
const maxParts = 1024;
const mediaType = 'application/x-ndjson';

export function addUnreplicatedRoutes(app: Listener, parts: () => UnreplicatedParts): void {
  app.get('/v1/unreplicated', (request, reply) => answer(parts(), request, reply));
}

async function answer(parts: UnreplicatedParts, request: FastifyRequest, reply: FastifyReply) {
  const admin = parts.unreplicated;
  const { region } = admin.self;
  const dryRun = flagParameter(request, 'dryRun');
  const part = partParameter(request);
  const { newest } = (await admin.beats.overview()).own;
  const until = newest?.lsn ?? 0n;
  const agreed = admin.retirement.isRetired ? await findFinal(admin) : await findHeld(admin, until);
  const found = await readable(admin, agreed, { until, part, signal: goneSignal(reply) });
  const head = {
    region,
    part: partText(part),
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

/** What peers may still take of the log does no harm: whoever issues a row again looks at the record as it is then. */
async function findHeld(admin: UnreplicatedAdmin, until: bigint): Promise<Agreed> {
  const { region } = admin.self;
  if (((await admin.drains.find())?.beat ?? null) === null)
    throw new Problem(
      'not-retired',
      `The region ${region} was neither retired nor drained: its peers still take what it writes.`,
    );
  const { donor, held } = await surveyPeers(admin, until);
  if (donor === null) throw new Problem('no-donor', `No peer says what it has of ${region}.`);
  return { survivor: donor, final: held.filter((entry) => entry.region === region) };
}

async function readable(
  { self, log, peer, timer }: UnreplicatedAdmin,
  { survivor, final }: Agreed,
  of: { readonly until: bigint; readonly part: Part; readonly signal: AbortSignal },
): Promise<Unreplicated> {
  try {
    return await readUnreplicated({ self, log, peer, timer, survivor, final, ...of });
  } catch (cause) {
    if (!(cause instanceof ReplicationError)) throw cause;
    if (cause.code === 'overloaded' && !cause.retriable)
      throw new Problem('export-too-large', `Of part ${partText(of.part)}, ${cause.message}.`, { cause });
    throw new Problem('export-unavailable', `Nothing was exported: ${cause.message}.`, { cause });
  }
}

/** As `2/8`: the second of eight; absent for all. */
function partParameter(request: FastifyRequest): Part {
  const text = queryParameter(request, 'part');
  if (text === null) return { number: 1, of: 1 };
  const [, number = 0, of = 0] = (/^([0-9]{1,4})\/([0-9]{1,4})$/.exec(text) ?? []).map(Number);
  if (number >= 1 && number <= of && of <= maxParts) return { number, of };
  const what = `takes as 2/8 which part of how many, at most ${maxParts}`;
  throw invalid('part', { rule: 'part', limit: maxParts, value: text.slice(0, 64), what });
}

function partText({ number, of }: Part): string {
  return `${number}/${of}`;
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
    shown: valueShown(collections.get(collection)?.show(state ?? new Uint8Array(0))),
    delta: bytesText(delta),
    base: base === null ? null : bytesText(base),
  };
}

/** `null` also where this version is too old to show it. */
function valueShown(shown: Shown | undefined): unknown {
  return shown instanceof UnreadableRecord ? null : (shown?.value ?? null);
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
