/**
 * How a database becomes a new incarnation of its region (P9). The counter is chosen before it listens for others, so
 * that databases which listen at the same time claim the same one, and the log's order lets one of them win; whoever
 * listens later hears the winner instead. A loser stops for good: its region lives elsewhere. A claim that was made in
 * an earlier attempt is never taken up again, because others may have listened meanwhile and heard nobody. Pure and
 * total: every input has its answer in every state.
 */
import type { Incarnation } from '../ports/identity.ts';
import { maxIncarnationNumber, sameIncarnation } from '../ports/identity.ts';

export type RenewalState =
  /** Looks for the highest counter that was ever claimed. */
  | { readonly kind: 'surveying' }
  | { readonly kind: 'listening'; readonly counter: number }
  /** The database writes down what it is about to claim. */
  | { readonly kind: 'noting'; readonly counter: number }
  | { readonly kind: 'claiming'; readonly claim: Incarnation }
  | { readonly kind: 'adopting'; readonly claim: Incarnation }
  | { readonly kind: 'losing'; readonly reason: string }
  | EndedState;

export type EndedState =
  | { readonly kind: 'taken'; readonly claim: Incarnation }
  /** Nothing was decided: somebody is alive, or something does not answer. To be begun again later. */
  | { readonly kind: 'given-up'; readonly isAlive: boolean; readonly reason: string }
  | { readonly kind: 'lost'; readonly reason: string };

export type RenewalInput =
  /** `highest` over the claims and what the database knows. */
  | { readonly kind: 'surveyed'; readonly highest: number }
  | { readonly kind: 'alone' }
  | { readonly kind: 'heard'; readonly reason: string }
  /** Perhaps that of another process of the same database. */
  | { readonly kind: 'noted'; readonly claim: Incarnation }
  /** What the log holds after ours was appended, oldest first, and what the database has noted by now. */
  | { readonly kind: 'read'; readonly claims: readonly Incarnation[]; readonly noted: Incarnation | null }
  | { readonly kind: 'adopted' }
  | { readonly kind: 'held' }
  | { readonly kind: 'failed'; readonly reason: string };

export type RenewalEffect =
  | { readonly kind: 'survey' }
  | { readonly kind: 'listen' }
  /** Under a nonce drawn by whoever carries this out. */
  | { readonly kind: 'note'; readonly counter: number }
  /** Appends the claim and reads all of them. */
  | { readonly kind: 'claim'; readonly claim: Incarnation }
  | { readonly kind: 'adopt'; readonly claim: Incarnation }
  /** No process of this database writes any more. */
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'end' };

export type RenewalStep = readonly [RenewalState, RenewalEffect];

export function startRenewal(): RenewalStep {
  return [{ kind: 'surveying' }, { kind: 'survey' }];
}

export function isEnded(state: RenewalState): state is EndedState {
  return state.kind === 'taken' || state.kind === 'given-up' || state.kind === 'lost';
}

export function stepRenewal(state: RenewalState, input: RenewalInput): RenewalStep {
  if (isEnded(state)) return end(state);
  if (input.kind === 'failed') return giveUp(input.reason, false);
  if (input.kind === 'heard') return giveUp(input.reason, true);
  switch (state.kind) {
    case 'surveying':
      return input.kind === 'surveyed' ? surveyed(input.highest) : stray(state, input);
    case 'listening':
      return input.kind === 'alone'
        ? [
            { kind: 'noting', counter: state.counter },
            { kind: 'note', counter: state.counter },
          ]
        : stray(state, input);
    case 'noting':
      return input.kind === 'noted' ? noted(state.counter, input.claim) : stray(state, input);
    case 'claiming':
      return input.kind === 'read' ? judge(state.claim, input) : stray(state, input);
    case 'adopting':
      return input.kind === 'adopted' ? end({ kind: 'taken', claim: state.claim }) : stray(state, input);
    case 'losing':
      return input.kind === 'held' ? end({ kind: 'lost', reason: state.reason }) : stray(state, input);
  }
}

/** The highest claim; of two for one counter the first. `null`: none was made. */
export function rulingClaim(claims: readonly Incarnation[]): Incarnation | null {
  let ruling: Incarnation | null = null;
  for (const claim of claims) if (ruling === null || claim.counter > ruling.counter) ruling = claim;
  return ruling;
}

/** No region has so many lives, but a peer can say so. */
function surveyed(highest: number): RenewalStep {
  if (highest >= maxIncarnationNumber)
    return giveUp(
      `incarnation ${highest} is known already, and none above ${maxIncarnationNumber} can be`,
      false,
    );
  return [{ kind: 'listening', counter: highest + 1 }, { kind: 'listen' }];
}

/** A higher one is another process's, which has listened later than we. */
function noted(counter: number, claim: Incarnation): RenewalStep {
  if (claim.counter !== counter) return giveUp('another process of this database claims already', false);
  return [
    { kind: 'claiming', claim },
    { kind: 'claim', claim },
  ];
}

function judge(
  claim: Incarnation,
  { claims, noted: own }: Extract<RenewalInput, { kind: 'read' }>,
): RenewalStep {
  const ruling = rulingClaim(claims);
  if (ruling === null) return giveUp('the own log does not hold the claim that was made in it', false);
  if (sameIncarnation(ruling, claim)) {
    return [
      { kind: 'adopting', claim },
      { kind: 'adopt', claim },
    ];
  }
  if (own !== null && sameIncarnation(ruling, own))
    return giveUp('another process of this database has claimed', false);
  const reason = `another database of the region has taken incarnation ${ruling.counter}`;
  return [
    { kind: 'losing', reason },
    { kind: 'hold', reason },
  ];
}

function giveUp(reason: string, isAlive: boolean): RenewalStep {
  return end({ kind: 'given-up', isAlive, reason });
}

function stray(state: RenewalState, input: RenewalInput): RenewalStep {
  return giveUp(`"${input.kind}" is no answer to "${state.kind}"`, false);
}

function end(state: EndedState): RenewalStep {
  return [state, { kind: 'end' }];
}
