/**
 * When to seek the hold on the region's beats, when to write one and when to give the hold up: decisions only. Beats
 * lie on a grid, one is in flight at most, and those whose time passed meanwhile fall out (a beat says "now", so a
 * late one is worth nothing). A call that outlasts its deadline is abandoned together with the hold, because its
 * connection can no longer be trusted; what it answers later is ignored. No state is final but `stopped`.
 *
 *     waiting --time--> seeking --won--> holding --time--> beating --done--> holding
 *        ^                |  |                                |
 *        +--held elsewhere,  +------- failed, deadline -------+--> waiting (the hold is released)
 */
import { nextDueMs } from '../ticker.ts';
import { beatIntervalMs } from './beat-interval.ts';

/** Time given to the database for one call. */
const callTimeoutMs = 5000;
const retryMs = 500;

export type WaitReason = 'starting' | 'held-elsewhere' | 'failed' | 'timed-out';

export type BeatState =
  | {
      readonly kind: 'waiting';
      readonly reason: WaitReason;
      readonly untilMs: number;
    }
  | { readonly kind: 'seeking'; readonly untilMs: number }
  | { readonly kind: 'holding'; readonly untilMs: number }
  | {
      readonly kind: 'beating';
      readonly untilMs: number;
      readonly dueMs: number;
    }
  | { readonly kind: 'stopped' };

export type BeatInput = 'time' | 'won' | 'held-elsewhere' | 'done' | 'failed' | 'stop';

/** `release` gives up the hold, if there is one, and whatever call is in flight. */
export type BeatEffect = 'seek' | 'beat' | 'release' | 'none';

export interface BeatStep {
  readonly state: BeatState;
  readonly effect: BeatEffect;
}

export function initialBeatState(nowMs: number): BeatState {
  return { kind: 'waiting', reason: 'starting', untilMs: nowMs };
}

export function stepBeat(state: BeatState, input: BeatInput, nowMs: number): BeatStep {
  if (state.kind === 'stopped') return stay(state);
  if (input === 'stop') return { state: { kind: 'stopped' }, effect: 'release' };
  if (input === 'time') return nowMs < state.untilMs ? stay(state) : stepTime(state, nowMs);
  return stepAnswer(state, input, nowMs);
}

type LiveState = Exclude<BeatState, { readonly kind: 'stopped' }>;

function stepTime(state: LiveState, nowMs: number): BeatStep {
  const untilMs = nowMs + callTimeoutMs;
  if (state.kind === 'waiting') return { state: { kind: 'seeking', untilMs }, effect: 'seek' };
  if (state.kind === 'holding') {
    const dueMs = state.untilMs;
    return { state: { kind: 'beating', untilMs, dueMs }, effect: 'beat' };
  }
  return wait('timed-out', nowMs);
}

function stepAnswer(state: LiveState, input: Exclude<BeatInput, 'time' | 'stop'>, nowMs: number): BeatStep {
  if (state.kind === 'seeking' && input === 'won')
    return { state: { kind: 'holding', untilMs: nowMs }, effect: 'none' };
  if (state.kind === 'seeking' && input === 'held-elsewhere')
    return { ...wait('held-elsewhere', nowMs), effect: 'none' };
  if (state.kind === 'beating' && input === 'done') {
    const untilMs = nextDueMs(state.dueMs, nowMs, beatIntervalMs);
    return { state: { kind: 'holding', untilMs }, effect: 'none' };
  }
  const inFlight = state.kind === 'seeking' || state.kind === 'beating';
  return inFlight && input === 'failed' ? wait('failed', nowMs) : stay(state);
}

function wait(reason: WaitReason, nowMs: number): BeatStep {
  const untilMs = nowMs + retryMs;
  return { state: { kind: 'waiting', reason, untilMs }, effect: 'release' };
}

function stay(state: BeatState): BeatStep {
  return { state, effect: 'none' };
}
