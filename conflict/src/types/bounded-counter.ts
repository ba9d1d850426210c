/**
 * A counter that never falls below its minimum, in no replica and under no partition. What stands above the minimum is
 * divided into rights; an actor spends only rights that it holds, and hands them on by a delta (Balegas et al.,
 * "Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants", 2015). An actor's own slot says
 * what it was granted and what it used; further slots say how much it moved to each other actor, so only the holder
 * ever lessens its rights.
 *
 * A reset destroys the rights that it has seen. What an actor used without having seen the reset came out of these,
 * so the debt that would remain is forgiven, up to what was destroyed; and a reset never cancels a spending whose
 * cover it has not seen. So neither rights nor debts appear from nowhere.
 */
import { longestActorBytes, tagMoved, tagRights } from '../codec/format.ts';
import { isObject } from '../arguments.ts';
import { binaryOf } from '../codec/utf8.ts';
import { balanceOf, hasRest, restOf, sumOf, type Vector, vectorOf } from '../codec/vector.ts';
import { refusal } from '../refusal.ts';
import type { Draft } from '../record/draft.ts';
import { entriesAt, type Place } from '../record/place.ts';
import { checkAmount, checkRange, exactSum } from './amount.ts';
import { checkShown } from './counter.ts';
import type { BoundedCounterField } from './field.ts';
import type { PlaceOf } from './resolve-field.ts';

export function showBounded({ place, field }: PlaceOf<BoundedCounterField>) {
  const rights = [...accountsAt(place).values()].map(rightsOf);
  const value = exactSum([field.min ?? 0, Math.max(0, exactSum(rights))]);
  return { value, live: rights.some((each) => each > 0) };
}

export function putBounded(_: Draft, at: PlaceOf<BoundedCounterField>, value: unknown): void {
  checkShown(at.place, showBounded(at).value, value);
}

/**
 * What each actor was given and used, by its name as a binary string, in the form of its slot; of one actor alone, if it
 * is named.
 */
function accountsAt(place: Place, only?: string): ReadonlyMap<string, Vector> {
  const accounts = new Map<string, Vector>();
  const add = (actor: string, payload: string) => {
    if (actor !== (only ?? actor)) return;
    accounts.set(actor, sumOf(accounts.get(actor) ?? [], vectorOf(payload)));
  };
  for (const { actor, payload } of entriesAt(place, tagRights)) add(actor, payload);
  for (const { sub, payload } of entriesAt(place, tagMoved)) add(sub, payload);
  return accounts;
}

function accountOf(place: Place, actor: string): Vector {
  return accountsAt(place, actor).get(actor) ?? [];
}

/** A negative number is a spending whose cover has not arrived yet. */
function rightsOf(account: Vector): number {
  return balanceOf(account) + forgivenTo(account);
}

/** The rights that can be spent. */
function heldIn(account: Vector): number {
  return Math.max(0, rightsOf(account));
}

/** The part of a debt that was spent out of rights which a reset has destroyed. */
function forgivenTo(account: Vector): number {
  const [, givenBefore = 0, , usedBefore = 0] = account;
  const destroyed = Math.max(0, givenBefore - usedBefore);
  return Math.min(destroyed, Math.max(0, -balanceOf(account)));
}

export function refill(draft: Draft, { place }: PlaceOf, by: unknown): void {
  checkAmount(place, by, 0);
  if (by === 0) return;
  const total = exactSum([...accountsAt(place).values()].map(heldIn));
  checkRange(place, total + by, by);
  addToOwn(draft, place, [by]);
}

/** Throws `insufficient-rights` where the actor itself holds less, whatever the counter shows. */
export function spend(draft: Draft, { place }: PlaceOf, need: unknown): void {
  checkAmount(place, need, 0);
  const have = heldIn(accountOf(place, draft.actor));
  if (need > have) {
    const details = { field: place.label, rule: 'rights', have, need, value: need, limit: have };
    throw refusal('insufficient-rights', details);
  }
  addToOwn(draft, place, [0, 0, need]);
}

/** Rights on their way from this actor to another one. */
export interface RightsMove {
  /** The actor that gets them. */
  readonly to: string;
  /** How many; a non-negative integer. */
  readonly amount: number;
}

/** Hands rights of this actor to another one. */
export function moveRights(draft: Draft, at: PlaceOf, move: unknown): void {
  const place: Place = at.place;
  place.check(isObject(move), 'object', move);
  const { to, amount }: { to?: unknown; amount?: unknown } = move;
  checkAmount(place, amount, 0);
  const sub = actorOf(to);
  place.check(sub !== null && sub !== draft.actor, 'actor', to);
  spend(draft, at, amount);
  draft.addToSlot(place, { tag: tagMoved, sub }, [amount]);
}

/** A name as a binary string; `null` where it can be none of an actor. */
export function actorOf(name: unknown): string | null {
  const binary = typeof name === 'string' ? binaryOf(name) : null;
  return binary === null || binary === '' || binary.length > longestActorBytes ? null : binary;
}

/** Books the actor's forgiven debt before, so that rights granted from now on are not eaten by it. */
function addToOwn(draft: Draft, place: Place, amounts: Vector): void {
  if (!hasRest(amounts)) return;
  const own = { tag: tagRights, sub: '' };
  const forgiven = forgivenTo(accountOf(place, draft.actor));
  draft.addToSlot(place, own, [0, 0, 0, forgiven]);
  draft.addToSlot(place, own, amounts);
}

/** Destroys the rights that are seen, and cancels only spendings whose cover is seen; of a stable record it is. */
export function resetRights(draft: Draft, place: Place): void {
  const accounts = accountsAt(place);
  for (const slot of entriesAt(place, tagRights)) {
    const [, granted = 0, , used = 0] = restOf(vectorOf(slot.payload));
    const uncovered = draft.isStable ? 0 : Math.max(0, -balanceOf(accounts.get(slot.actor) ?? []));
    draft.raiseSlot(place, slot, [0, granted, 0, Math.max(0, used - uncovered)]);
  }
}
