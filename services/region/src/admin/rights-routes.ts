/**
 * Who holds the rights of bounded counters, and the claim of those that are stranded (P8), on the admin listener. Rights
 * of a retired region are claimed by its heir alone, or by whoever inherits from that one, once all that the survivors
 * keep of it has settled there; rights of this region's own earlier lives by this region. In both cases all that this
 * region wrote in earlier lives has to have settled here, and nobody may hold more (`own-past.ts`, `claim-check.ts`). A
 * claim is an ordinary change of the record, so it says for ever who claimed what, and a line of the log says when.
 */
import type { Journal } from '@isthmus/replication/journal/journal';
import { type Actor, type RegionId, actorOf, parseActor } from '@isthmus/replication/ports/identity';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { Retirement, RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import { inheritanceOf } from '@isthmus/replication/tombstones/heirs';
import type { FastifyRequest } from 'fastify';
import { type ApiParts, collectionOf, refuseWhileDraining } from '../api/api-parts.ts';
import { checkKey } from '../api/names.ts';
import { pathParameter, requireBody } from '../api/requests.ts';
import type { Drain } from '../drain.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { type Claimed, claimRights } from '../records/claim-edit.ts';
import { expectObject, invalid, nameOfKind, refuseOtherMembers } from '../records/field-edit.ts';
import { findField } from '../records/field-path.ts';
import type { RecordType } from '../records/record-type.ts';
import { type Holder, type Writers, allHolders, holdersAt, isStranded } from '../records/rights.ts';
import { requireNobodyHasMore } from './claim-check.ts';
import { flagParameter } from './flag-parameter.ts';
import { type PastParts, readOwnPast } from './own-past.ts';

export interface RightsParts extends Pick<ApiParts, 'collections' | 'guards'> {
  readonly store: Pick<RecordStore, 'read'>;
  readonly journal: Pick<Journal, 'write'>;
  readonly rights: PastParts & {
    readonly retirements: Pick<RetirementStore, 'all'>;
    readonly writers: Writers;
    readonly peers: readonly RegionId[];
    readonly peer: TransferPeer;
    readonly timer: Timer;
  };
}

export function addRightsRoutes(app: Listener, parts: () => RightsParts, drain: Drain): void {
  app.get('/v1/rights/:collection/:key', (request) => show(parts(), request));
  app.post('/v1/rights/:collection/:key/claim', (request) => claim({ ...parts(), drain }, request));
}

async function show(parts: RightsParts, request: FastifyRequest) {
  const { id } = target(parts, request);
  const { missing } = await readOwnPast(parts.rights);
  const state = await parts.store.read(id);
  if (state === null) throw new Problem('not-found', 'Nothing is stored under this key.');
  const retired = await parts.rights.retirements.all();
  const mayBe = (claimer: RegionId | null) =>
    claimer === parts.rights.self.region && missing !== null ? null : claimer;
  const fields = [...allHolders(state)].map(([field, holders]) => ({
    field,
    holders: holders.map((holder) => ({
      ...holder,
      stranded: isStranded(holder, parts.rights.writers),
      claimableBy: mayBe(claimerOf(holder, parts, retired)),
    })),
  }));
  return { ...id, fields };
}

async function claim(parts: RightsParts & { readonly drain: Drain }, request: FastifyRequest) {
  const { id, type } = target(parts, request);
  const dryRun = flagParameter(request, 'dryRun');
  const field = fieldIn(requireBody(request));
  const found = findField(type.fields, field, 'field');
  if ('code' in found) throw new Problem(found.code, found.detail, { violations: [found.violation] });
  if (!dryRun) {
    refuseWhileDraining(parts.drain);
    parts.guards.check([id.collection], () => 'collection');
  }
  const retired = await parts.rights.retirements.all();
  const from = (holder: Holder): Actor | null => {
    const isOurs = claimerOf(holder, parts, retired) === parts.rights.self.region;
    return isOurs ? parseActor(holder.actor) : null;
  };
  const past = await readOwnPast(parts.rights);
  const own = (await parts.store.read(id)) ?? new Uint8Array(0);
  const actors = holdersAt(own, field).flatMap((holder) => from(holder) ?? []);
  await requireNobodyHasMore(witnesses(parts, retired), { id, own, actors, past });
  const claimed = await written(parts, { id, type, dryRun, claim: { names: found.names, field, from } });
  request.log.warn(
    { requestId: request.id, collection: id.collection, field, dryRun, claims: claimed.claims },
    'stranded rights are claimed',
  );
  return { dryRun, ...id, field, ...claimed };
}

function witnesses({ rights: { peers, peer, timer } }: RightsParts, retired: readonly Retirement[]) {
  const survivors = peers.filter((each) => !retired.some(({ region }) => region === each));
  return { survivors, peer, timer };
}

interface Wanted {
  readonly id: { readonly collection: string; readonly key: string };
  readonly type: RecordType;
  readonly dryRun: boolean;
  readonly claim: Parameters<typeof claimRights>[2];
}

async function written(parts: RightsParts, { id, type, dryRun, claim: wanted }: Wanted): Promise<Claimed> {
  const outcome = await parts.journal.write<Claimed, Problem>([
    {
      id,
      edit: (before, context) => {
        const made = claimRights(type, { before, context }, wanted);
        if (made instanceof Problem) return { kind: 'refuse', refusal: made };
        if (made === null) return { kind: 'keep', result: { claims: [] } };
        const { state, delta, claimed: result } = made;
        return dryRun ? { kind: 'keep', result } : { kind: 'write', state, delta, result };
      },
    },
  ]);
  if (outcome.kind === 'refused') throw outcome.refusal;
  return outcome.results[0] ?? { claims: [] };
}

/** The one region that may; `null`: its writer still writes, or nobody may yet. */
function claimerOf(
  { actor, region }: Holder,
  { rights: { self } }: RightsParts,
  retired: readonly Retirement[],
): RegionId | null {
  if (region === self.region) return actor === actorOf(self.region, self.incarnation) ? null : region;
  const found = region === null ? null : inheritanceOf(region, retired);
  return found === null || (found.heir === self.region && !found.isReached) ? null : found.heir;
}

function target(parts: RightsParts, request: FastifyRequest) {
  const collection = pathParameter(request, 'collection');
  const key = checkKey(pathParameter(request, 'key'), 'key');
  return { id: { collection, key }, type: collectionOf(parts, collection) };
}

function fieldIn(body: unknown): string {
  const object = expectObject(body, '');
  refuseOtherMembers(object, ['field'], '');
  const field: unknown = Object.getOwnPropertyDescriptor(object, 'field')?.value;
  if (typeof field === 'string') return field;
  throw invalid('field', {
    rule: 'string',
    limit: null,
    value: nameOfKind(field),
    what: 'takes the path of a bounded counter',
  });
}
