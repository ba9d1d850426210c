/**
 * Retiring a region that is gone for good, on the admin listener of a survivor (P8). Closing it here is all that anybody
 * has to ask for: the survivors hear of it from each other, and each decides by itself what they agree on once it has a
 * word of all. What one says for itself is served here as well. A region that was retired itself closes nobody. Positions
 * travel as base64 and mean nothing to whoever carries them.
 */
import type { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import { encodeVector } from '@isthmus/replication/log/offer-bytes';
import { type RegionId, parseRegionId } from '@isthmus/replication/ports/identity';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { Retirement, RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { Vector } from '@isthmus/replication/ports/vector';
import type { Agreeing } from '@isthmus/replication/tombstones/agreeing';
import { greatestOf } from '@isthmus/replication/vector';
import type { FastifyRequest } from 'fastify';
import { pathParameter } from '../api/requests.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { expectObject, invalid, refuseOtherMembers } from '../records/field-edit.ts';
import { flagParameter } from './flag-parameter.ts';

export interface RetirementAdmin {
  readonly self: RegionId;
  readonly peers: readonly RegionId[];
  readonly retirements: Pick<RetirementStore, 'all' | 'close'>;
  readonly incarnations: Pick<IncarnationStore, 'closed'>;
  readonly agreeing: Pick<Agreeing, 'word' | 'waitsFor'>;
  readonly retirement: Pick<OwnRetirement, 'isRetired'>;
}

export function addRetirementRoutes(app: Listener, parts: () => RetirementAdmin): void {
  app.get('/v1/retired', async () => {
    const admin = parts();
    return { retired: (await admin.retirements.all()).map((each) => viewOf(admin, each)) };
  });
  app.get('/v1/retired/:region', (request) => showWord(parts(), request));
  app.get('/v1/regions/:region/final', (request) => showFinal(parts(), request));
  app.post('/v1/regions/:region/close', (request) => close(parts(), request));
}

function viewOf({ agreeing }: RetirementAdmin, { region, final, heir, isReached }: Retirement) {
  const state = final === null ? 'closed' : isReached ? 'retired' : 'catching-up';
  return { region, state, heir, waitsFor: agreeing.waitsFor(region) };
}

async function showWord({ agreeing }: RetirementAdmin, request: FastifyRequest) {
  const region = parseRegionId(pathParameter(request, 'region'));
  const word = region === null ? null : await agreeing.word(region);
  if (word === null) throw new Problem('not-found', 'No region of that name was closed here.');
  const { survivors, position, wish, agreed } = word;
  return {
    region,
    survivors,
    position: textOf(position),
    wish,
    agreed: agreed && { final: textOf(agreed.final), heir: agreed.heir },
  };
}

/** Up to where its changes are kept here, those of lives that had ended before included. */
async function showFinal({ retirements, incarnations }: RetirementAdmin, request: FastifyRequest) {
  const name = pathParameter(request, 'region');
  const retired = (await retirements.all()).find(({ region }) => region === name);
  if (retired === undefined || retired.final === null || !retired.isReached)
    return { region: name, final: null };
  const ended = (await incarnations.closed()).filter(({ region }) => region === name);
  return { region: name, final: textOf(greatestOf(retired.final, ended)) };
}

async function close(admin: RetirementAdmin, request: FastifyRequest) {
  const { self, retirements, retirement } = admin;
  const region = peerIn(admin, request);
  if (retirement.isRetired)
    throw new Problem('region-retired', `${self} was retired itself: nobody listens to it any more.`);
  const survivors = survivorsOf(admin, region, await retirements.all());
  const heir = heirIn(request.body, survivors);
  const dryRun = flagParameter(request, 'dryRun');
  if (!dryRun) {
    await retirements.close(region, heir);
    request.log.warn({ requestId: request.id, region, heir }, 'a region is closed for good');
  }
  return { dryRun, region: self, survivors };
}

/** This region and its peers, without the one that goes and those that are gone. */
function survivorsOf(
  { self, peers }: RetirementAdmin,
  gone: RegionId,
  retired: readonly Retirement[],
): readonly RegionId[] {
  const isGone = (peer: RegionId) => peer === gone || retired.some(({ region }) => region === peer);
  return [self, ...peers.filter((peer) => !isGone(peer))].toSorted();
}

function peerIn({ peers }: RetirementAdmin, request: FastifyRequest): RegionId {
  const region = parseRegionId(pathParameter(request, 'region'));
  if (region !== null && peers.includes(region)) return region;
  throw new Problem('not-found', 'No peer of this region has that name.');
}

/** `null`: nobody is named. */
function heirIn(body: unknown, survivors: readonly RegionId[]): RegionId | null {
  if (body === undefined) return null;
  const object = expectObject(body, '');
  refuseOtherMembers(object, ['heir'], '');
  const named: unknown = Object.getOwnPropertyDescriptor(object, 'heir')?.value;
  if (named === undefined || named === null) return null;
  const heir = survivors.find((survivor) => survivor === named);
  if (heir !== undefined) return heir;
  const value = typeof named === 'string' ? named.slice(0, 64) : null;
  const what = `takes one of the survivors ${survivors.join(', ')}`;
  throw invalid('heir', { rule: 'survivor', limit: survivors, value, what });
}

function textOf(vector: Vector): string {
  return encodeVector(vector).toString('base64');
}
