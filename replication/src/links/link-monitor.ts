/**
 * The state of the link to and from one peer, decided from what still arrives and an answer (P7). `in` is judged by
 * what last arrived from the peer, `out` by our newest beat that the peer echoed, and data apart from both: a link on
 * which beats and requests pass while changes stand still is stalled, however well its heart beats. It says `connected`
 * only with everything fresh and with proof: something arrived, and a beat that we sent came back, after that began,
 * so that what lay in a buffer proves nothing. It says that a direction is gone only after a grace in `suspected`;
 * every failure holds for a while, and a link that keeps breaking has to prove itself for longer. While the own tables
 * or beats stand still nothing is said against the link, and nothing for it either.
 *
 *     from \ signals     all fresh                   any not fresh           a direction or data old
 *     connected          stay                        suspected               suspected
 *     suspected          connected once confirmed    stay                    its name, after graceMs
 *     one-way-in/-out,   healing, after holdMs       stay                    its name, after holdMs
 *     stalled, partitioned
 *     healing            connected once confirmed    name by what is not fresh: at once, data after graceMs
 *     blind: connected and healing become suspected, suspected begins anew, a failure stays
 */

/** A signal up to this old is fresh: ten beats. */
export const freshMs = 2500;
/** A signal older than this is old: its direction does not work. */
export const oldMs = 5000;
/** For a link that was steady; doubled from the second relapse on, so that one that flaps is not called connected. */
export const confirmMs = 1500;
const mostDoublings = 2;
/** What arrives this long after everything was fresh did not lie in the buffer that made it so. */
const bufferMs = 750;
/** A link that stayed connected for so long has no relapses behind it. */
export const steadyMs = 60_000;
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
  /** Monotonic; for `suspected`, since when the signals could be judged. */
  readonly sinceMs: number;
  /** Since when all signals were fresh without a break; `null`: they are not. Monotonic. */
  readonly freshSinceMs: number | null;
  /** When the state was last decided. Monotonic. */
  readonly decidedAtMs: number;
  /** Times that it broke after it was connected for less than `steadyMs`. */
  readonly relapses: number;
}

/** Ages are `null` where they are unknown, and then count as old. */
export interface LinkSignals {
  /** The own tables or the own beats stand still. */
  readonly blind: boolean;
  /** Since anything of the peer's last arrived: a beat among its changes, or its progress. */
  readonly tickAgeMs: number | null;
  /** Since the peer's changes last moved our positions in all partitions. */
  readonly dataAgeMs: number | null;
  /** Age of our newest beat that the peer is known to have received. */
  readonly echoAgeMs: number | null;
  /** Since a newer one was last echoed. */
  readonly echoMovedMs: number | null;
  /** Since our changes last moved the peer's positions, by its own word; `null`: it did not say. */
  readonly peerDataAgeMs: number | null;
  /** Whether an admin request to the peer was answered lately. */
  readonly answered: boolean;
}

type Freshness = 'fresh' | 'late' | 'old';

interface Judged {
  readonly tick: Freshness;
  readonly echo: Freshness;
  readonly data: Freshness;
  readonly answered: boolean;
}

export function initialLink(nowMs: number): LinkState {
  return { kind: 'suspected', sinceMs: nowMs, freshSinceMs: null, decidedAtMs: nowMs, relapses: 0 };
}

/** `nowMs` is monotonic time. */
export function stepLink(state: LinkState, signals: LinkSignals, nowMs: number): LinkState {
  if (signals.blind) return blinded(state, nowMs);
  const judged = judge(signals);
  const isPaused = nowMs - state.decidedAtMs > freshMs;
  const freshSinceMs = freshSince(state, { judged, isPaused, nowMs });
  const isConfirmed = freshSinceMs !== null && isProven(signals, nowMs - freshSinceMs, state.relapses);
  const kind = isPaused ? afterPause(state.kind) : next(state, { judged, isConfirmed, nowMs });
  const sinceMs = kind === state.kind && !isPaused ? state.sinceMs : nowMs;
  const relapses = isPaused ? state.relapses : relapsesAfter(state, kind, nowMs);
  return { kind, sinceMs, freshSinceMs, decidedAtMs: nowMs, relapses };
}

/** What may be said of a link at this moment: a decision is not believed for longer than a signal is. */
export function shownLink(state: LinkState, nowMs: number): LinkState {
  const isStale = nowMs - state.decidedAtMs > freshMs;
  return isStale ? { ...state, kind: afterPause(state.kind) } : state;
}

function blinded(state: LinkState, nowMs: number): LinkState {
  const kind = afterPause(state.kind);
  const sinceMs = kind === 'suspected' ? nowMs : state.sinceMs;
  return { ...state, kind, sinceMs, freshSinceMs: null, decidedAtMs: nowMs };
}

/** What is believed after a time in which nobody looked: no good news, and no other bad news than before. */
function afterPause(kind: LinkKind): LinkKind {
  return kind === 'connected' || kind === 'healing' ? 'suspected' : kind;
}

function relapsesAfter(state: LinkState, kind: LinkKind, nowMs: number): number {
  if (state.kind !== 'connected') return state.relapses;
  if (nowMs - state.sinceMs >= steadyMs) return 0;
  return kind === 'connected' ? state.relapses : state.relapses + 1;
}

/** `freshForMs`: how long everything has been fresh. */
function isProven(signals: LinkSignals, freshForMs: number, relapses: number): boolean {
  const doublings = Math.min(Math.max(0, relapses - 1), mostDoublings);
  if (freshForMs < confirmMs * 2 ** doublings) return false;
  const isWithin = (ageMs: number | null, limitMs: number) => ageMs !== null && ageMs <= limitMs;
  const arrivedMs = freshForMs - bufferMs;
  return (
    isWithin(signals.tickAgeMs, arrivedMs) &&
    isWithin(signals.dataAgeMs, arrivedMs) &&
    isWithin(signals.echoAgeMs, freshForMs)
  );
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
      return healFailure(moment.judged, heldMs) ?? 'healing';
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

/** What failed stays failed until it is fresh; what did not fails when it is old. */
function fromFailure(kind: Failure, judged: Judged): LinkKind {
  const failed = named({
    isInFailed: isAtLeast(judged.tick, kind === 'one-way-out' ? 'old' : 'late'),
    isOutFailed: isAtLeast(judged.echo, kind === 'one-way-in' ? 'old' : 'late'),
    isDataFailed: kind === 'stalled' && isAtLeast(judged.data, 'late'),
    answered: judged.answered,
  });
  const isThrough = judged.tick === 'fresh' && judged.echo === 'fresh';
  return failed ?? (isThrough ? 'healing' : kind);
}

/** Data comes after the beats that show the way to be open. */
function healFailure(judged: Judged, heldMs: number): Failure | null {
  return failure(heldMs < graceMs ? { ...judged, data: 'fresh' } : judged, 'late');
}

/** The failure that the signals show where a signal fails from this freshness on. */
function failure(judged: Judged, from: 'late' | 'old'): Failure | null {
  return named({
    isInFailed: isAtLeast(judged.tick, from),
    isOutFailed: isAtLeast(judged.echo, from),
    isDataFailed: isAtLeast(judged.data, from),
    answered: judged.answered,
  });
}

interface Failed {
  readonly isInFailed: boolean;
  readonly isOutFailed: boolean;
  readonly isDataFailed: boolean;
  readonly answered: boolean;
}

/** Requests travel as our beats do: where they are answered what goes out is not cut, only its data stands still. */
function named({ isInFailed, isOutFailed, isDataFailed, answered }: Failed): Failure | null {
  if (isOutFailed && answered) return 'stalled';
  if (isInFailed) return isOutFailed ? 'partitioned' : 'one-way-in';
  if (isOutFailed) return 'one-way-out';
  return isDataFailed ? 'stalled' : null;
}

function freshSince(
  state: LinkState,
  at: { readonly judged: Judged; readonly isPaused: boolean; readonly nowMs: number },
): number | null {
  if (!isFresh(at.judged)) return null;
  return at.isPaused ? at.nowMs : (state.freshSinceMs ?? at.nowMs);
}

function judge(signals: LinkSignals): Judged {
  return {
    tick: freshness(signals.tickAgeMs),
    echo: echoFreshness(signals),
    data: worse(
      freshness(signals.dataAgeMs),
      signals.peerDataAgeMs === null ? 'fresh' : freshness(signals.peerDataAgeMs),
    ),
    answered: signals.answered,
  };
}

function freshness(ageMs: number | null): Freshness {
  if (ageMs === null || ageMs > oldMs) return 'old';
  return ageMs > freshMs ? 'late' : 'fresh';
}

/** Echoes that are old but move on belong to a peer that catches up: its direction works. */
function echoFreshness({ echoAgeMs, echoMovedMs }: LinkSignals): Freshness {
  const byAge = freshness(echoAgeMs);
  const byMove = freshness(echoMovedMs);
  return byAge === 'old' && byMove !== 'old' ? 'late' : byAge;
}

function worse(a: Freshness, b: Freshness): Freshness {
  if (a === 'old' || b === 'old') return 'old';
  return a === 'late' ? a : b;
}

function isFresh({ tick, echo, data }: Judged): boolean {
  return tick === 'fresh' && echo === 'fresh' && data === 'fresh';
}

function isAtLeast(seen: Freshness, least: 'late' | 'old'): boolean {
  return seen === 'old' || seen === least;
}
