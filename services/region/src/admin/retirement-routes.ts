/**
 * Retiring a region that is gone for good, on the admin listener of each survivor (P8). First everybody closes it, which
 * says how far its changes have come there; then everybody is given all of these answers and joins them to the final
 * vector, so what the survivors agree on is computed by each and trusted from none. An answer must be there of every
 * survivor that is configured. Positions travel as base64 and mean nothing to whoever carries them.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import { decodeVector, encodeVector } from '@isthmus/replication/log/offer-bytes';
import { type RegionId, parseRegionId } from '@isthmus/replication/ports/identity';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { Retirement, RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { Vector } from '@isthmus/replication/ports/vector';
import { greatestOf } from '@isthmus/replication/vector';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { pathParameter, requireBody } from '../api/requests.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { invalid } from '../records/field-edit.ts';
import { flagParameter } from './flag-parameter.ts';

export interface RetirementAdmin {
  readonly self: RegionId;
  readonly peers: readonly RegionId[];
  readonly retirements: RetirementStore;
  readonly incarnations: Pick<IncarnationStore, 'closed'>;
}

const longestPosition = 1024 * 1024;
const agreement = z.object({
  positions: z.record(z.string(), z.string().max(longestPosition)),
  heir: z.string().optional(),
});

export function addRetirementRoutes(app: Listener, parts: () => RetirementAdmin): void {
  app.get('/v1/retired', async () => ({ retired: (await parts().retirements.all()).map(viewOf) }));
  app.get('/v1/regions/:region/final', (request) => showFinal(parts(), request));
  app.post('/v1/regions/:region/close', (request) => close(parts(), request));
  app.post('/v1/regions/:region/retire', (request) => retire(parts(), request));
}

function viewOf({ region, final, heir, isReached }: Retirement) {
  return { region, state: final === null ? 'closed' : isReached ? 'retired' : 'catching-up', heir };
}

/** Up to where its changes are kept here, those of lives that had ended before included. */
async function showFinal({ retirements, incarnations }: RetirementAdmin, request: FastifyRequest) {
  const name = pathParameter(request, 'region');
  const retired = (await retirements.all()).find(({ region }) => region === name);
  if (retired === undefined || retired.final === null || !retired.isReached)
    return { region: name, final: null };
  const ended = (await incarnations.closed()).filter(({ region }) => region === name);
  return {
    region: name,
    final: Buffer.from(encodeVector(greatestOf(retired.final, ended))).toString('base64'),
  };
}

async function close(admin: RetirementAdmin, request: FastifyRequest) {
  const { self, retirements } = admin;
  const region = peerIn(admin, request);
  const dryRun = flagParameter(request, 'dryRun');
  const vector = await (dryRun ? retirements.position(region) : retirements.close(region));
  return {
    dryRun,
    region: self,
    survivors: survivors(admin, region, await retirements.all()),
    position: Buffer.from(encodeVector(vector)).toString('base64'),
  };
}

async function retire(admin: RetirementAdmin, request: FastifyRequest) {
  const region = peerIn(admin, request);
  const { positions, heir: named } = parsed(requireBody(request));
  const needed = survivors(admin, region, await admin.retirements.all());
  const missing = needed.filter((survivor) => positions[survivor] === undefined);
  if (missing.length > 0)
    throw refusal('every-survivor', needed, `lacks the position of ${missing.join(', ')}`);
  const final = needed.map((survivor) => vectorIn(positions[survivor] ?? '', region)).reduce(greatestOf, []);
  if (!(await admin.retirements.retire(region, { final, heir: heirAmong(needed, named) })))
    throw refusal(
      'closed-before',
      null,
      'does not fit how far the region was closed here, or a final vector or an heir that it has',
    );
  return { region, retired: viewOf(await found(admin, region)) };
}

async function found({ retirements }: RetirementAdmin, region: RegionId): Promise<Retirement> {
  const retired = (await retirements.all()).find((each) => each.region === region);
  return retired ?? { region, final: null, heir: null, isReached: false };
}

/** The same in every survivor, whether it is named or not, because all of them are asked about the same ones. */
function heirAmong(needed: readonly RegionId[], named: string | undefined): RegionId {
  const heir = needed.toSorted().find((survivor) => named === undefined || survivor === named);
  if (heir !== undefined) return heir;
  const what = `names none of the survivors ${needed.join(', ')}`;
  throw invalid('heir', { rule: 'survivor', limit: needed, value: named?.slice(0, 64) ?? null, what });
}

/** This region and its peers, without the one that goes and those that are gone. */
function survivors(
  { self, peers }: RetirementAdmin,
  gone: RegionId,
  retired: readonly Retirement[],
): readonly RegionId[] {
  const isGone = (peer: RegionId) =>
    peer === gone || retired.some(({ region, final }) => region === peer && final !== null);
  return [self, ...peers.filter((peer) => !isGone(peer))];
}

function peerIn({ peers }: RetirementAdmin, request: FastifyRequest): RegionId {
  const region = parseRegionId(pathParameter(request, 'region'));
  if (region !== null && peers.includes(region)) return region;
  throw new Problem('not-found', 'No peer of this region has that name.');
}

function parsed(body: unknown): z.infer<typeof agreement> {
  const read = agreement.safeParse(body);
  if (read.success) return read.data;
  throw refusal('positions', null, 'takes positions by the names of the survivors');
}

function vectorIn(text: string, region: RegionId): Vector {
  try {
    const vector = decodeVector(Buffer.from(text, 'base64'));
    if (vector.every((entry) => entry.region === region)) return vector;
  } catch (reason) {
    if (!(reason instanceof ReplicationError)) throw reason;
  }
  throw refusal('position', null, `holds what is no position of ${region}`);
}

function refusal(rule: string, limit: readonly string[] | null, what: string): Problem {
  return invalid('positions', { rule, limit, value: null, what });
}
