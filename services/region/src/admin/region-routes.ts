/**
 * The region as a whole, on its admin listener: whether it takes writes and what it waits for, taking them away and giving
 * them back, and filling it anew from a peer (P6). A filling that would lose what no peer has is refused with the lives at
 * stake, unless the caller names each of them. What is asked for is noted in the database and carried out by whichever
 * process looks after the region's identity.
 */
import type { Draining } from '@isthmus/replication/guard/draining';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import type { DrainStore } from '@isthmus/replication/ports/drain-store';
import { type Actor, type RegionId, parseActor } from '@isthmus/replication/ports/identity';
import type { IdentityStore } from '@isthmus/replication/ports/identity-store';
import type { RefillStore } from '@isthmus/replication/ports/refill-store';
import type { Timer } from '@isthmus/replication/ports/timer';
import { actorsIn, unprovable } from '@isthmus/replication/refill/judge-refill';
import { type Survey, type SurveyOptions, surveyPeers } from '@isthmus/replication/refill/survey';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { queryParameter } from '../api/requests.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { invalid } from '../records/field-edit.ts';
import { flagParameter } from './flag-parameter.ts';
import { type IdentityAdmin, type IdentityView, identityView } from './identity-routes.ts';
import { drainedPeers, refillView } from './region-view.ts';

export interface RegionAdmin extends SurveyOptions {
  readonly identity: IdentityAdmin;
  readonly past: Pick<IdentityStore, 'newestBeat' | 'continuity'>;
  readonly beats: Pick<BeatStore, 'overview'>;
  /** Peers that are gone for good. */
  readonly closed: () => readonly RegionId[];
  readonly draining: Pick<Draining, 'drain' | 'join'>;
  readonly drains: Pick<DrainStore, 'find'>;
  readonly refills: RefillStore;
  readonly timer: Timer;
}

/** For peers to take what is on its way while the region writes. */
const surveyMs = 3000;
const surveyPollMs = 200;
const maxCounted = 100_000;

export function addRegionRoutes(app: Listener, parts: () => RegionAdmin): void {
  app.get('/v1/region', () => viewOf(parts()));
  app.post('/v1/region/drain', (request) => change(parts(), request, (draining) => draining.drain()));
  app.post('/v1/region/join', (request) => change(parts(), request, (draining) => draining.join()));
  app.post('/v1/region/refill', (request, reply) => refill(parts(), request, reply));
}

async function change(
  admin: RegionAdmin,
  request: FastifyRequest,
  carryOut: (draining: RegionAdmin['draining']) => Promise<void>,
) {
  const dryRun = flagParameter(request, 'dryRun');
  if (!dryRun) await carryOut(admin.draining);
  return { dryRun, ...(await viewOf(admin)) };
}

async function viewOf(admin: RegionAdmin) {
  const { self, identity, drains, refills, beats, peers, closed } = admin;
  const shown = await identityView(identity);
  const [drained, wanted] = [await drains.find(), await refills.find()];
  const open = peers.filter((peer) => !closed().includes(peer));
  return {
    region: self.region,
    actor: shown.actor,
    /** Local writes wait for these; empty: it takes them. */
    waitsFor: waitsFor(shown, drained !== null),
    drained: drained && {
      since: new Date(drained.sinceMs).toISOString(),
      beat: drained.beat,
      peers: drainedPeers((await beats.overview()).progress, open, drained.beat),
    },
    refill: refillView(wanted),
  };
}

function waitsFor(shown: IdentityView, isDrained: boolean): readonly string[] {
  const { continuity, guard, relearning, joining, notNamedBy, retired } = shown;
  const unread = joining.filter((peer) => !notNamedBy.includes(peer));
  return [
    ...(retired ? ['its peers have retired it'] : []),
    ...(isDrained ? ['it was drained: isthmus region join ends that'] : []),
    ...(continuity === 'same'
      ? []
      : [guard !== null && 'reason' in guard ? guard.reason : 'its identity is not proven']),
    ...(relearning === null ? [] : [relearning.waitsFor ?? 'its past is learnt again']),
    ...(unread.length === 0 ? [] : [`it has not got all of what ${unread.join(', ')} had written`]),
    ...(notNamedBy.length === 0 ? [] : [`${notNamedBy.join(', ')} must be configured with it as a peer`]),
  ];
}

async function refill(admin: RegionAdmin, request: FastifyRequest, reply: FastifyReply) {
  const dryRun = flagParameter(request, 'dryRun');
  const named = peerIn(admin, request);
  const accepted = actorsNamed(request);
  requireFillable(admin);
  const survey = await patientSurvey(admin);
  const donor = donorOf(admin, named, survey);
  const loss = actorsIn(survey.loss);
  const found = await plan(admin, survey);
  if (dryRun) return { dryRun, donor, loss, ...found };
  requireAccepted(loss, accepted);
  if (!(await admin.refills.want({ donor, accepted })))
    throw new Problem(
      'refill-under-way',
      'The region is taking a new incarnation to be filled anew already.',
    );
  request.log.warn({ requestId: request.id, donor, accepted }, 'an operator wants the region filled anew');
  return reply.status(202).send({ dryRun, donor, loss, ...found });
}

async function plan({ refills }: RegionAdmin, { asked }: Survey) {
  const counted = await refills.countRecords(maxCounted + 1);
  return { records: Math.min(counted, maxCounted), moreRecords: counted > maxCounted, peers: asked };
}

function requireFillable({ identity, peers, self }: RegionAdmin): void {
  if (identity.retirement.isRetired)
    throw new Problem(
      'region-retired',
      `The region ${self.region} was retired: its name is not used again. What it wrote alone is exported with isthmus region export.`,
    );
  if (identity.guard === null)
    throw new Problem('not-the-replicator', 'This process does not look after the identity of its region.');
  if (peers.length === 0)
    throw new Problem('no-donor', `The region ${self.region} has no peer to be filled from.`);
}

/** Until everything is safe, or for as long as peers may need to take what is on its way. */
async function patientSurvey(admin: RegionAdmin): Promise<Survey> {
  const { past, timer } = admin;
  const isProven = (await past.continuity()).kind === 'same';
  const newest = (await past.newestBeat()).beat;
  const through = newest === null ? 0n : isProven ? newest.lsn : unprovable;
  const endMs = timer.monotonicMs() + surveyMs;
  for (;;) {
    const survey = await surveyPeers(admin, through);
    if (survey.loss.length === 0 || timer.monotonicMs() > endMs) return survey;
    await new Promise<void>((resolve) => timer.after(surveyPollMs, resolve));
  }
}

function donorOf({ self }: RegionAdmin, named: RegionId | null, { donor, asked }: Survey): RegionId {
  const chosen = named ?? donor;
  const refusal = asked.find(({ peer }) => peer === chosen)?.refusal ?? null;
  if (chosen !== null && refusal === null) return chosen;
  const said = asked.map(({ peer, refusal: why }) => `${peer} ${why ?? 'answers'}`).join('; ');
  throw new Problem(
    'no-donor',
    `No peer to fill ${self.region} from${named === null ? '' : ` (${named})`}: ${said}.`,
  );
}

function requireAccepted(loss: readonly Actor[], accepted: readonly Actor[]): void {
  const missing = loss.filter((actor) => !accepted.includes(actor));
  if (missing.length === 0) return;
  throw new Problem(
    'refill-would-lose',
    `No peer that answers has all changes of ${missing.join(', ')}; dropping the records here would lose them.`,
    { violations: [{ field: 'acceptLoss', rule: 'names-every-life', limit: loss, value: accepted }] },
  );
}

/** `null`: whoever has most. */
function peerIn({ peers }: RegionAdmin, request: FastifyRequest): RegionId | null {
  const text = queryParameter(request, 'from');
  if (text === null) return null;
  const peer = peers.find((candidate) => candidate === text);
  if (peer !== undefined) return peer;
  const fault = { rule: 'one-of', limit: [...peers], value: text.slice(0, 64) };
  throw invalid('from', { ...fault, what: `takes ${peers.join(', ')}` });
}

const maxNamed = 64;

function actorsNamed(request: FastifyRequest): readonly Actor[] {
  const text = queryParameter(request, 'acceptLoss') ?? '';
  const names = text === '' ? [] : text.split(',');
  if (names.length > maxNamed)
    throw invalid('acceptLoss', {
      rule: 'max-items',
      limit: maxNamed,
      value: names.length,
      what: `names ${maxNamed} lives at most`,
    });
  return names.map((name) => {
    const actor = parseActor(name);
    if (actor !== null) return actor;
    throw invalid('acceptLoss', {
      rule: 'actor',
      limit: null,
      value: name.slice(0, 64),
      what: 'takes lives as the refusal names them, with commas between',
    });
  });
}
