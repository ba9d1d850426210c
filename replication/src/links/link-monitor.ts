/**
 * The state of the link to and from one peer, decided from two ages and an answer (P7). `in` is judged by the newest
 * tick that we received, `out` by our newest beat that the peer echoed, and an admin request tells a peer that is
 * there but stands still from one that is gone. It says `connected` only while both signals are fresh and have been
 * so without a break for `confirmMs`; it says that a direction is gone only after a grace in `suspected`; and every
 * state but `connected` holds for a while, so that a link that comes and goes does not make the state do the same.
 * An age that is not known counts as old. After a pause of its own (a stopped process) nothing is believed anew
 * until it has been confirmed anew, because what is read first then may have lain in a buffer.
 *
 *     from \ signals     both fresh                  any not fresh           a direction old
 *     connected          stay                        suspected               suspected
 *     suspected          connected once confirmed    stay                    its name, after graceMs
 *     one-way-in/-out,   healing, after holdMs       stay                    its name, after holdMs
 *     stalled, partitioned
 *     healing            connected once confirmed    name by what is not fresh, at once
 */

/** A signal up to this old is fresh: eight beats. */
export const freshMs = 2000;
/** A signal older than this is old: its direction does not work. */
export const oldMs = 5000;
/** Longer than `freshMs`, so that one burst of buffered signals never makes a link connected. */
export const confirmMs = 3000;
export const graceMs = 3000;
export const holdMs = 2000;

export const linkStates = [
  'connected',
  'suspected',
  'one-way-in',
  'one-way-out',
  'stalled',
  'partitioned',
  'healing',
] as const;

/** `one-way-in`: what comes in is what is missing; `one-way-out`: what goes out is. */
export type LinkKind = (typeof linkStates)[number];

export interface LinkState {
  readonly kind: LinkKind;
  /** Monotonic. */
  readonly sinceMs: number;
  /** Since when both signals were fresh without a break; `null`: they are not. Monotonic. */
  readonly freshSinceMs: number | null;
  /** When the state was last decided. Monotonic. */
  readonly decidedAtMs: number;
}

export interface LinkSignals {
  /** Age of the newest tick received from the peer; `null`: unknown. */
  readonly tickAgeMs: number | null;
  /** Age of our newest beat that the peer is known to have received; `null`: unknown. */
  readonly echoAgeMs: number | null;
  /** Whether the last admin request to the peer was answered. */
  readonly answered: boolean;
}

type Freshness = 'fresh' | 'late' | 'old';

interface Judged {
  readonly tick: Freshness;
  readonly echo: Freshness;
  readonly answered: boolean;
}

export function initialLink(nowMs: number): LinkState {
  return { kind: 'suspected', sinceMs: nowMs, freshSinceMs: null, decidedAtMs: nowMs };
}

/** `nowMs` is monotonic time. */
export function stepLink(state: LinkState, signals: LinkSignals, nowMs: number): LinkState {
  const judged = judge(signals);
  const paused = nowMs - state.decidedAtMs > freshMs;
  const freshSinceMs = freshSince(state, { judged, paused, nowMs });
  const isConfirmed = freshSinceMs !== null && nowMs - freshSinceMs >= confirmMs;
  const kind =
    paused && state.kind === 'connected' ? 'suspected' : next(state, { judged, isConfirmed, nowMs });
  const sinceMs = kind === state.kind ? state.sinceMs : nowMs;
  return { kind, sinceMs, freshSinceMs, decidedAtMs: nowMs };
}

interface Moment {
  readonly judged: Judged;
  readonly isConfirmed: boolean;
  readonly nowMs: number;
}

function next(state: LinkState, moment: Moment): LinkKind {
  const heldMs = moment.nowMs - state.sinceMs;
  switch (state.kind) {
    case 'connected':
      return isFresh(moment.judged) ? 'connected' : 'suspected';
    case 'suspected':
      if (moment.isConfirmed) return 'connected';
      return (heldMs >= graceMs ? failure(moment.judged, 'old') : null) ?? 'suspected';
    case 'healing':
      if (moment.isConfirmed) return 'connected';
      return failure(moment.judged, 'late') ?? 'healing';
    case 'one-way-in':
    case 'one-way-out':
    case 'stalled':
    case 'partitioned':
      return heldMs >= holdMs ? fromFailure(state.kind, moment.judged) : state.kind;
    default:
      return state.kind satisfies never;
  }
}

type Failure = 'one-way-in' | 'one-way-out' | 'stalled' | 'partitioned';

/** A direction that failed stays failed until it is fresh; one that did not fails when it is old. */
function fromFailure(kind: Failure, judged: Judged): LinkKind {
  if (isFresh(judged)) return 'healing';
  const isInFailed = isAtLeast(judged.tick, kind === 'one-way-out' ? 'old' : 'late');
  const isOutFailed = isAtLeast(judged.echo, kind === 'one-way-in' ? 'old' : 'late');
  return named(isInFailed, isOutFailed, judged.answered) ?? kind;
}

/** The failure that the signals show where a direction fails from this freshness on. */
function failure(judged: Judged, from: 'late' | 'old'): Failure | null {
  return named(isAtLeast(judged.tick, from), isAtLeast(judged.echo, from), judged.answered);
}

function named(isInFailed: boolean, isOutFailed: boolean, answered: boolean): Failure | null {
  if (isInFailed && isOutFailed) return answered ? 'stalled' : 'partitioned';
  if (isInFailed) return 'one-way-in';
  return isOutFailed ? 'one-way-out' : null;
}

function freshSince(
  state: LinkState,
  at: { readonly judged: Judged; readonly paused: boolean; readonly nowMs: number },
): number | null {
  if (!isFresh(at.judged)) return null;
  return at.paused ? at.nowMs : (state.freshSinceMs ?? at.nowMs);
}

function judge(signals: LinkSignals): Judged {
  return {
    tick: freshness(signals.tickAgeMs),
    echo: freshness(signals.echoAgeMs),
    answered: signals.answered,
  };
}

function freshness(ageMs: number | null): Freshness {
  if (ageMs === null || ageMs > oldMs) return 'old';
  return ageMs > freshMs ? 'late' : 'fresh';
}

function isFresh(judged: Judged): boolean {
  return judged.tick === 'fresh' && judged.echo === 'fresh';
}

function isAtLeast(seen: Freshness, least: 'late' | 'old'): boolean {
  return seen === 'old' || seen === least;
}
