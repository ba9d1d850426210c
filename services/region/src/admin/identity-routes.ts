/**
 * Who the region is, on the admin listener, and the operator's word on a database that could not be proven to continue
 * its past (P1). That word is dangerous and says so: where it is wrong, two databases write under one identity, and
 * peers take the second's changes for ones that they have.
 */
import type { Joining } from '@isthmus/replication/guard/joining';
import type { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import type { IdentityGuard, IdentityState } from '@isthmus/replication/identity/identity-guard';
import { type RelearningJudgement, describeRelearning } from '@isthmus/replication/identity/relearning-judge';
import { type Incarnation, type RegionId, actorOf } from '@isthmus/replication/ports/identity';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { Continuity, IdentityStore } from '@isthmus/replication/ports/identity-store';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { flagParameter } from './flag-parameter.ts';

export interface IdentityAdmin {
  readonly self: { readonly region: RegionId; readonly incarnation: Incarnation };
  readonly past: Pick<IdentityStore, 'continuity' | 'accept'>;
  /** `null` where another process looks after it. */
  readonly guard: Pick<IdentityGuard, 'state' | 'renew'> | null;
  readonly incarnations: Pick<IncarnationStore, 'relearning'>;
  /** `null`: nothing known of, because nothing is to be learnt or another process does it. */
  readonly relearning: () => RelearningJudgement | null;
  readonly retirement: Pick<OwnRetirement, 'isRetired'>;
  readonly joining: Pick<Joining, 'waitsFor' | 'notNamedBy' | 'skip'>;
}

export interface IdentityView {
  readonly region: RegionId;
  readonly actor: string;
  readonly incarnation: number;
  readonly continuity: Continuity['kind'];
  readonly guard: IdentityState | null;
  /** Its peers have closed it for good, and it takes no more writes (P8). */
  readonly retired: boolean;
  /** Peers whose records it has not got yet, or that do not name it, so that it takes no writes; empty: none. */
  readonly joining: readonly RegionId[];
  /** Those of them that are not configured with it as a peer. */
  readonly notNamedBy: readonly RegionId[];
  /** What a new incarnation has still to learn, and whether its writes wait for that (P9); `null`: nothing. */
  readonly relearning: {
    readonly since: string;
    readonly waitsFor: string | null;
    readonly takesWrites: boolean;
  } | null;
}

export function addIdentityRoutes(app: Listener, parts: () => IdentityAdmin): void {
  app.get('/v1/identity', () => identityView(parts()));
  app.post('/v1/identity/renew', (request) => {
    const [dryRun, force] = [flagParameter(request, 'dryRun'), flagParameter(request, 'force')];
    return renew(parts(), { dryRun, force });
  });
  app.post('/v1/identity/accept', (request) => accept(parts(), flagParameter(request, 'dryRun')));
}

/** A region that is well gives up its identity only where the caller insists. */
async function renew(
  admin: IdentityAdmin,
  { dryRun, force }: { readonly dryRun: boolean; readonly force: boolean },
) {
  const { guard } = admin;
  const before = await identityView(admin);
  if (guard === null)
    throw new Problem('not-the-replicator', 'This process does not look after the identity of its region.');
  if (before.continuity === 'same' && !force)
    throw new Problem(
      'identity-healthy',
      'The database is proven to continue its past; a new incarnation would gain nothing. Insist with force.',
    );
  if (!dryRun) await guard.renew();
  return { dryRun, renewing: !dryRun, from: before.incarnation, before };
}

async function accept(admin: IdentityAdmin, dryRun: boolean) {
  const before = await identityView(admin);
  const accepted = (before.continuity !== 'same' || before.joining.length > 0) && !dryRun;
  if (accepted && before.continuity !== 'same') await admin.past.accept();
  if (accepted && before.joining.length > 0) await admin.joining.skip();
  return { dryRun, accepted, before };
}

export async function identityView(admin: IdentityAdmin): Promise<IdentityView> {
  const { self, past, guard } = admin;
  const { region, incarnation } = self;
  const continuity = await past.continuity();
  return {
    region,
    actor: actorOf(region, incarnation),
    incarnation: incarnation.counter,
    continuity: continuity.kind,
    guard: guard?.state ?? null,
    retired: admin.retirement.isRetired,
    joining: admin.joining.waitsFor,
    notNamedBy: admin.joining.notNamedBy,
    relearning: await relearningOf(admin),
  };
}

async function relearningOf({
  incarnations,
  relearning,
}: IdentityAdmin): Promise<IdentityView['relearning']> {
  const wanted = await incarnations.relearning();
  if (wanted === null) return null;
  const judgement = relearning();
  return {
    since: new Date(wanted.sinceMs).toISOString(),
    waitsFor: judgement === null ? null : describeRelearning(judgement),
    takesWrites: wanted.isOpen,
  };
}
