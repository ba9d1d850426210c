/**
 * One region's barriers, decided (P8). A barrier is complete only after its generation was closed, everything that ran
 * at that moment had ended, the own position was taken then, every member had taken its own after it was asked, and
 * every member, this region too, had settled all of these. Where the members, or the incarnation of one, are not those
 * that were asked, or what they answered is nowhere, all are asked again under the same number, and no answer to an earlier asking counts. One barrier at
 * a time. Pure, and it never gives up: a member that is away holds it open.
 *
 *     resting --due--> closing --closed--> draining --ended--> placing --placed--> asking --all answered--> covering
 *        ^                                                        ^                  |                        | |
 *        |                                                        +-- other members, another incarnation -----+ |
 *        +--completed-- completing <------------------- all have settled ----------------------------------------+
 */
import type { BarrierAnswer, BarrierAsk } from '../log/barrier-word.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Vector } from '../ports/vector.ts';
import { greatestOf } from '../vector.ts';

/** What a member has answered, and in which incarnation. */
interface Answered {
  readonly incarnation: Incarnation;
  readonly position: Vector;
}

interface Asked {
  readonly number: number;
  readonly round: number;
  readonly members: readonly RegionId[];
}

export type BarrierState =
  | { readonly kind: 'resting'; readonly completed: number }
  | { readonly kind: 'closing'; readonly number: number }
  | { readonly kind: 'draining'; readonly number: number; readonly mark: bigint }
  | { readonly kind: 'placing'; readonly number: number }
  | ({
      readonly kind: 'asking';
      readonly own: Vector;
      readonly answers: ReadonlyMap<RegionId, Answered>;
    } & Asked)
  | ({
      readonly kind: 'covering';
      readonly vector: Vector;
      readonly incarnations: ReadonlyMap<RegionId, Incarnation>;
      readonly isCoveredHere: boolean;
      readonly covered: ReadonlySet<RegionId>;
    } & Asked)
  | { readonly kind: 'completing'; readonly number: number; readonly round: number; readonly vector: Vector };

export type BarrierInput =
  /** It is time for the next one. */
  | { readonly kind: 'due' }
  | { readonly kind: 'closed'; readonly mark: bigint }
  /** Nothing that ran at the mark is running any more. */
  | { readonly kind: 'ended' }
  | {
      readonly kind: 'placed';
      readonly round: number;
      readonly position: Vector;
      readonly members: readonly RegionId[];
    }
  /** A member's word, repeated as long as it holds; `answer` is the one to us, `null` where it has none. */
  | {
      readonly kind: 'heard';
      readonly member: RegionId;
      readonly incarnation: Incarnation;
      readonly answer: BarrierAnswer | null;
    }
  /** The vector is settled here. */
  | { readonly kind: 'covered-here' }
  /** What was answered names what is nowhere, as whoever named it may know by now. */
  | { readonly kind: 'in-vain' }
  /** Who has to be asked now. */
  | { readonly kind: 'members'; readonly members: readonly RegionId[] }
  | { readonly kind: 'completed' };

export type BarrierEffect =
  | { readonly kind: 'close'; readonly number: number }
  | { readonly kind: 'wait-for-end'; readonly mark: bigint }
  /** Begin a round, and read the own position after that. */
  | { readonly kind: 'place' }
  | { readonly kind: 'look-here'; readonly vector: Vector }
  | {
      readonly kind: 'complete';
      readonly number: number;
      readonly round: number;
      readonly vector: Vector;
    };

/** An input that does not fit the state changes nothing: words come late and twice. */
export function stepBarrier(state: BarrierState, input: BarrierInput): BarrierState {
  switch (input.kind) {
    case 'due':
      return state.kind === 'resting' ? { kind: 'closing', number: state.completed + 1 } : state;
    case 'closed':
      if (state.kind !== 'closing') return state;
      return { kind: 'draining', number: state.number, mark: input.mark };
    case 'ended':
      return state.kind === 'draining' ? { kind: 'placing', number: state.number } : state;
    case 'placed':
      return state.kind === 'placing' ? placed(state.number, input) : state;
    case 'heard':
      return heard(state, input);
    case 'covered-here':
      return state.kind === 'covering' ? settled({ ...state, isCoveredHere: true }) : state;
    case 'in-vain':
      return state.kind === 'covering' ? askAgain(state) : state;
    case 'members':
      return isAsking(state) && !areSame(state.members, input.members) ? askAgain(state) : state;
    case 'completed':
      return state.kind === 'completing' ? { kind: 'resting', completed: state.number } : state;
  }
}

/** What has to be done in this state, again and again until it is; `null`: to wait for words. */
export function effectOf(state: BarrierState): BarrierEffect | null {
  switch (state.kind) {
    case 'closing':
      return { kind: 'close', number: state.number };
    case 'draining':
      return { kind: 'wait-for-end', mark: state.mark };
    case 'placing':
      return { kind: 'place' };
    case 'covering':
      return state.isCoveredHere ? null : { kind: 'look-here', vector: state.vector };
    case 'completing':
      return { ...state, kind: 'complete' };
    case 'resting':
    case 'asking':
      return null;
  }
}

/** What to ask of the others now; `null`: nothing. */
export function askOf(state: BarrierState): BarrierAsk | null {
  if (!isAsking(state)) return null;
  const { number, round } = state;
  return { number, round, vector: state.kind === 'covering' ? state.vector : null };
}

/** Who keeps the barrier open, as far as it waits for words. */
export function waitingFor(state: BarrierState): readonly RegionId[] {
  if (!isAsking(state)) return [];
  return state.members.filter((member) =>
    state.kind === 'asking' ? !state.answers.has(member) : !state.covered.has(member),
  );
}

type Asking = Extract<BarrierState, { readonly kind: 'asking' }>;
type Covering = Extract<BarrierState, { readonly kind: 'covering' }>;

function isAsking(state: BarrierState): state is Asking | Covering {
  return state.kind === 'asking' || state.kind === 'covering';
}

function askAgain({ number }: Asked): BarrierState {
  return { kind: 'placing', number };
}

function placed(
  number: number,
  { round, position, members }: Extract<BarrierInput, { readonly kind: 'placed' }>,
): BarrierState {
  return answered({ kind: 'asking', number, round, members, own: position, answers: new Map() });
}

function heard(
  state: BarrierState,
  { member, incarnation, answer }: Extract<BarrierInput, { readonly kind: 'heard' }>,
): BarrierState {
  if (!isAsking(state) || !state.members.includes(member)) return state;
  const known =
    state.kind === 'asking' ? state.answers.get(member)?.incarnation : state.incarnations.get(member);
  if (known !== undefined && !sameIncarnation(known, incarnation)) return askAgain(state);
  if (answer === null || answer.number !== state.number || answer.round !== state.round) return state;
  if (state.kind === 'covering')
    return answer.isCovered ? settled({ ...state, covered: new Set([...state.covered, member]) }) : state;
  if (state.answers.has(member)) return state;
  const answers = new Map([...state.answers, [member, { incarnation, position: answer.position }]]);
  return answered({ ...state, answers });
}

function answered(state: Asking): BarrierState {
  const { number, round, members, own, answers } = state;
  if (answers.size < members.length) return state;
  const told = [...answers];
  return {
    kind: 'covering',
    number,
    round,
    members,
    vector: told.reduce((vector: Vector, [, { position }]) => greatestOf(vector, position), own),
    incarnations: new Map(told.map(([member, { incarnation }]) => [member, incarnation])),
    isCoveredHere: false,
    covered: new Set(),
  };
}

function settled(state: Covering): BarrierState {
  const { number, round, vector, members, covered, isCoveredHere } = state;
  if (!isCoveredHere || covered.size < members.length) return state;
  return { kind: 'completing', number, round, vector };
}

function areSame(a: readonly RegionId[], b: readonly RegionId[]): boolean {
  return a.length === b.length && a.every((region) => b.includes(region));
}
