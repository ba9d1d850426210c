/**
 * The life of one incident, decided from the link and from what each side has settled (P7). It begins with the first
 * doubt, so that what each side held then is known whatever follows; a doubt that comes to nothing is dropped. It ends
 * only when the link has been connected without a break for `quietMs`, what both sides had written by the heal is
 * settled both ways, and a sweep begun after that was clean; a link that breaks before goes on with the same incident,
 * so one that flaps has one. Everything that it needs is in the row, so a restart at any point changes nothing.
 *
 *     state \ link     connected                suspected     a failure       healing
 *     (none)           (none)                   suspected     its name        healing
 *     suspected        (dropped)                suspected     its name        healing
 *     a failure        healing                  stay          its name        healing
 *     healing          healing, or reconciled   healing       its name        healing
 */
import { changesBetween } from '../change-count.ts';
import { sameIncarnation } from '../ports/identity.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Incident, IncidentState, Mark, NewIncident, Sides } from '../ports/incident-store.ts';
import type { SweepDigests } from '../ports/sweeps.ts';
import type { LinkKind } from './link-monitor.ts';

/** Longer than a flapping link stays up. */
export const quietMs = 5000;

export interface Observation {
  readonly peer: RegionId;
  /** Own clock. */
  readonly nowMs: number;
  readonly link: LinkKind;
  /** How long the link has been in that state. */
  readonly heldMs: number;
  /** When the link was last known to be well; own clock. */
  readonly lastWellAtMs: number;
  /** What the other side is known to have settled. */
  readonly settled: Sides<Mark | null>;
  /** What each side is known to have written; the peer's word must be younger than the link's state. */
  readonly written: Sides<Mark | null>;
  /** A clean sweep that began after the incident was settled; `null`: none yet, or not asked for. */
  readonly sweep: SweepDigests | null;
}

export type IncidentStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly incident: NewIncident }
  | { readonly kind: 'drop' }
  | { readonly kind: 'keep'; readonly incident: Incident };

/** The column of the table; `null`: no incident. */
export function followLink(state: IncidentState | null, link: LinkKind): IncidentState | null {
  switch (link) {
    case 'connected':
      return state === null || state === 'suspected' ? null : 'healing';
    case 'suspected':
      return state ?? 'suspected';
    case 'healing':
      return 'healing';
    case 'one-way-in':
    case 'one-way-out':
    case 'stalled':
    case 'partitioned':
      return link;
    default:
      return link satisfies never;
  }
}

export function stepIncident(incident: Incident | null, seen: Observation): IncidentStep {
  if (incident !== null && incident.endedAtMs !== null) return { kind: 'none' };
  const state = followLink(incident?.state ?? null, seen.link);
  if (incident === null) return state === null ? { kind: 'none' } : open(state, seen);
  if (state === null) return { kind: 'drop' };
  const declaredAtMs = incident.declaredAtMs ?? declaredAt(state, seen);
  const moved = { ...incident, state, declaredAtMs };
  return { kind: 'keep', incident: state === 'healing' ? heal(moved, seen) : broken(moved, seen) };
}

/** Whether it would end with a clean sweep; only then is one worth its cost. */
export function wantsSweep(incident: Incident, seen: Observation): boolean {
  return incident.settledAtMs !== null && seen.link === 'connected' && seen.heldMs >= quietMs;
}

/** Whether both sides wrote in the window; `null`: the other side may have. */
export function isSplitBrain({ writes }: Pick<Incident, 'writes'>): boolean | null {
  const { own, peer } = writes;
  if (own === 0 || peer === 0) return false;
  return own === null || peer === null ? null : true;
}

/** Declared and not over, with both sides writing as far as anybody can tell. */
export function isOpenIncident(incident: Incident): boolean {
  return incident.declaredAtMs !== null && incident.endedAtMs === null && isSplitBrain(incident) !== false;
}

function open(state: IncidentState, seen: Observation): IncidentStep {
  const incident: NewIncident = {
    peer: seen.peer,
    state,
    startedAtMs: Math.min(seen.lastWellAtMs, seen.nowMs),
    declaredAtMs: declaredAt(state, seen),
    healedAtMs: null,
    settledAtMs: null,
    endedAtMs: null,
    from: seen.settled,
    until: null,
    writes: { own: null, peer: null },
    digests: null,
  };
  return { kind: 'open', incident: { ...incident, writes: writesSoFar(incident, seen) } };
}

function declaredAt(state: IncidentState, seen: Observation): number | null {
  return state === 'suspected' ? null : seen.nowMs;
}

function broken(incident: Incident, seen: Observation): Incident {
  const writes = writesSoFar(incident, seen);
  return { ...incident, until: null, healedAtMs: null, settledAtMs: null, writes };
}

function heal(incident: Incident, seen: Observation): Incident {
  if (seen.link !== 'connected') return incident.until === null ? broken(incident, seen) : incident;
  const kept = incident.until !== null && isOfThisLife(incident.until, seen) ? incident.until : null;
  const until = kept ?? bothOf(seen.written);
  if (until === null) return { ...broken(incident, seen), healedAtMs: incident.healedAtMs ?? seen.nowMs };
  const writes = {
    own: between(incident.from.own, until.own),
    peer: between(incident.from.peer, until.peer),
  };
  const healedAtMs = incident.healedAtMs ?? seen.nowMs;
  const wasSettledAtMs = kept === null ? null : incident.settledAtMs;
  const settledAtMs = wasSettledAtMs ?? (isSettled(until, seen) ? seen.nowMs : null);
  const healed = { ...incident, until, writes, healedAtMs, settledAtMs };
  if (wasSettledAtMs === null || !wantsSweep(healed, seen) || seen.sweep === null) return healed;
  return { ...healed, state: 'reconciled', endedAtMs: seen.nowMs, digests: seen.sweep };
}

/** Marks of a life that is over will never be passed by anybody; they are taken anew. */
function isOfThisLife(until: Sides<Mark>, { written }: Observation): boolean {
  const isSame = (mark: Mark, now: Mark | null) =>
    now === null || sameIncarnation(mark.incarnation, now.incarnation);
  return isSame(until.own, written.own) && isSame(until.peer, written.peer);
}

function isSettled(until: Sides<Mark>, { settled }: Observation): boolean {
  const covers = (mark: Mark | null, needed: Mark) =>
    mark !== null && sameIncarnation(mark.incarnation, needed.incarnation) && mark.beat >= needed.beat;
  return covers(settled.own, until.own) && covers(settled.peer, until.peer);
}

function bothOf({ own, peer }: Sides<Mark | null>): Sides<Mark> | null {
  return own === null || peer === null ? null : { own, peer };
}

/** What a peer that cannot be heard has written is unknown, unless something of it has come through. */
function writesSoFar(incident: NewIncident, { written }: Observation): Incident['writes'] {
  const peer = between(incident.from.peer, written.peer);
  return { own: between(incident.from.own, written.own), peer: peer === 0 ? null : peer };
}

/** Changes from one mark to the other, all where there is no first one; `null`: not comparable, or not counted. */
function between(from: Mark | null, to: Mark | null): number | null {
  if (from !== null && to !== null && !sameIncarnation(from.incarnation, to.incarnation)) return null;
  const before = from === null ? 0 : from.count;
  const after = to?.count ?? null;
  const made = before === null || after === null ? null : changesBetween(before, after);
  return made === null ? null : Math.max(0, made);
}
