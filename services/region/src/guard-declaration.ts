/**
 * The member `guard` of a declared collection: `"accept"`, `{"budget": {seconds, changes, peers}}` or
 * `{"homeRegion": name}`. A budget bounds at least one of seconds and changes; anything that is not understood is a
 * fault, because a guard that is silently ignored protects nothing.
 */
import type { Guard } from '@isthmus/replication/guard/write-guard';
import { type RegionId, parseRegionId } from '@isthmus/replication/ports/identity';
import { z } from 'zod';
import { members } from './field-declarations.ts';

/** Beats and confirmations alone take about that long. */
const leastSeconds = 1;
const mostSeconds = 30 * 24 * 3600;
const mostChanges = 1_000_000_000;
const mostPeers = 64;
const takes =
  'takes "accept", {"budget": {"seconds": …, "changes": …, "peers": …}} or {"homeRegion": "a region\'s name"}';

const budget = members({
  seconds: z.number().min(leastSeconds).max(mostSeconds).optional(),
  changes: z.int().min(0).max(mostChanges).optional(),
  peers: z.int().min(1).max(mostPeers).default(1),
}).transform(({ seconds = null, changes = null, peers }, context): Guard => {
  if (seconds === null && changes === null) context.addIssue('a budget bounds seconds, changes or both');
  return { kind: 'budget', seconds, changes, peers };
});

const homeRegion = z.string().transform((name, context): Guard => {
  const region = parseRegionId(name);
  if (region !== null) return { kind: 'home-region', region };
  context.addIssue('takes the name of a region');
  return z.NEVER;
});

const byBudget = members({ budget }).transform(({ budget: guard }) => guard);
const byHome = members({ homeRegion }).transform(({ homeRegion: guard }) => guard);

export function guardDeclaration() {
  return z
    .unknown()
    .default('accept')
    .transform((value, context): Guard => {
      if (value === 'accept') return { kind: 'accept' };
      const schema = schemaOf(value);
      const parsed = schema?.safeParse(value);
      if (parsed?.success === true) return parsed.data;
      if (parsed === undefined) context.addIssue(takes);
      for (const { path, message } of parsed?.error.issues ?? [])
        context.addIssue({ code: 'custom', path: [...path], message });
      return z.NEVER;
    });
}

function schemaOf(value: unknown): z.ZodType<Guard> | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('budget' in value) return byBudget;
  return 'homeRegion' in value ? byHome : null;
}

/** Why a guard would refuse every write of every region or of this one; `null`: it does not. */
export function guardContradiction(guard: Guard, self: RegionId, peers: readonly RegionId[]): string | null {
  if (guard.kind === 'budget' && guard.peers > peers.length)
    return `a budget of ${guard.peers} peers refuses every write where there are ${peers.length}`;
  if (guard.kind !== 'home-region' || guard.region === self || peers.includes(guard.region)) return null;
  return `the home region ${guard.region} is neither this region nor a peer`;
}
