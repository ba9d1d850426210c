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
import { binaryOf } from '../codec/utf8.ts';
import { isExhausted, vectorOf } from '../codec/vector.ts';
import { ConflictError } from '../errors.ts';
import type { Draft } from '../record/draft.ts';
import type { Entry } from '../record/entry.ts';
import { exactSum } from './counter.ts';
import type { BoundedCounterField } from './field.ts';
import { checkedAmount, checkedRange, entriesAt, type Place } from './place.ts';

/** What one actor was given and used: in all, and how much of that resets have seen. */
interface Account {
  given: number;
  givenBefore: number;
  used: number;
  usedBefore: number;
}

export function readBounded(place: Place, field: BoundedCounterField): number {
  const rights = [...accountsAt(place).values()].map(rightsOf);
  return exactSum([field.min ?? 0, Math.max(0, exactSum(rights))]);
}

/** Rights by actor, as binary strings. A negative number is a spending whose cover has not arrived yet. */
export function rightsAt(place: Place): ReadonlyMap<string, number> {
  return new Map([...accountsAt(place)].map(([actor, account]) => [actor, rightsOf(account)]));
}

function accountsAt(place: Place): ReadonlyMap<string, Account> {
  const accounts = new Map<string, Account>();
  for (const { actor, payload } of entriesAt(place, tagRights)) {
    const [granted = 0, grantedBefore = 0, used = 0, usedBefore = 0] = vectorOf(payload);
    const account = accountOf(accounts, actor);
    account.given += granted;
    account.givenBefore += grantedBefore;
    account.used += used;
    account.usedBefore += usedBefore;
  }
  for (const { sub, payload } of entriesAt(place, tagMoved)) {
    const [moved = 0, movedBefore = 0] = vectorOf(payload);
    const account = accountOf(accounts, sub);
    account.given += moved;
    account.givenBefore += movedBefore;
  }
  return accounts;
}

function accountOf(accounts: Map<string, Account>, actor: string): Account {
  const known = accounts.get(actor) ?? { given: 0, givenBefore: 0, used: 0, usedBefore: 0 };
  accounts.set(actor, known);
  return known;
}

function rightsOf(account: Account): number {
  return balanceOf(account) + forgivenTo(account);
}

function balanceOf({ given, givenBefore, used, usedBefore }: Account): number {
  return given - givenBefore - (used - usedBefore);
}

/** The part of a debt that was spent out of rights which a reset has destroyed. */
function forgivenTo(account: Account): number {
  const destroyed = Math.max(0, account.givenBefore - account.usedBefore);
  return Math.min(destroyed, Math.max(0, -balanceOf(account)));
}

export function refill(draft: Draft, place: Place, amount: unknown): void {
  const by = checkedAmount(place.label, amount, 0);
  if (by === 0) return;
  const total = exactSum([...accountsAt(place).values()].map((account) => Math.max(0, rightsOf(account))));
  checkedRange(place.label, total + by, by);
  settle(draft, place);
  addToOwn(draft, place, [by]);
}

/** Throws `insufficient-rights` where the actor itself holds less, whatever the counter shows. */
export function spend(draft: Draft, place: Place, amount: unknown): void {
  const by = checkedAmount(place.label, amount, 0);
  if (by === 0) return;
  requireRights(draft, place, by);
  settle(draft, place);
  addToOwn(draft, place, [0, 0, by]);
}

/** Rights on their way from this actor to another one. */
export interface RightsMove {
  /** The actor that gets them. */
  readonly to: string;
  /** How many; a non-negative integer. */
  readonly amount: number;
}

/** Hands rights of this actor to another one. */
export function moveRights(draft: Draft, place: Place, move: RightsMove): void {
  if (typeof move !== 'object' || move === null) {
    const message = 'rights are moved by {to, amount}';
    throw new ConflictError('invalid-value', message, { field: place.label, rule: 'object', value: move });
  }
  const by = checkedAmount(place.label, move.amount, 0);
  const to = typeof move.to === 'string' ? binaryOf(move.to) : null;
  if (to === null || to === '' || to.length > longestActorBytes || to === draft.actor) {
    const message = 'rights are moved to another actor';
    throw new ConflictError('invalid-value', message, { field: place.label, rule: 'actor', value: move.to });
  }
  if (by === 0) return;
  requireRights(draft, place, by);
  checkedRange(place.label, movedTo(draft, place, to) + by, by);
  settle(draft, place);
  addToOwn(draft, place, [0, 0, by]);
  draft.addToSlot(place.node, { path: place.path, tag: tagMoved, sub: to }, [by]);
}

/** What the own slot for another actor says, if it will be continued. */
function movedTo(draft: Draft, place: Place, to: string): number {
  const slots = entriesAt(place, tagMoved);
  const own = slots.find((slot) => slot.actor === draft.actor && slot.sub === to);
  const vector = own === undefined ? [] : vectorOf(own.payload);
  return isExhausted(vector) ? 0 : (vector[0] ?? 0);
}

function requireRights(draft: Draft, place: Place, need: number): void {
  const have = Math.max(0, rightsAt(place).get(draft.actor) ?? 0);
  if (need <= have) return;
  throw new ConflictError('insufficient-rights', `${need} rights are needed here, ${have} are held`, {
    field: place.label,
    rule: 'rights',
    have,
    need,
    value: need,
    limit: have,
  });
}

function addToOwn(draft: Draft, place: Place, amounts: readonly number[]): void {
  const own = ownSlot(draft, place);
  const vector = own === undefined ? [] : vectorOf(own.payload);
  const start = isExhausted(vector) ? [] : vector;
  amounts.forEach((amount, index) => checkedRange(place.label, (start[index] ?? 0) + amount, amount));
  draft.addToSlot(place.node, { path: place.path, tag: tagRights, sub: '' }, amounts);
}

function ownSlot(draft: Draft, place: Place): Entry | undefined {
  return entriesAt(place, tagRights).find((slot) => slot.actor === draft.actor);
}

/** Books the actor's forgiven debt, so that rights granted from now on are not eaten by it. */
function settle(draft: Draft, place: Place): void {
  const account = accountsAt(place).get(draft.actor);
  const own = ownSlot(draft, place);
  if (account === undefined || own === undefined) return;
  const forgiven = forgivenTo(account);
  if (forgiven === 0) return;
  const [granted = 0, grantedBefore = 0, used = 0, usedBefore = 0] = vectorOf(own.payload);
  const settled = checkedRange(place.label, usedBefore + forgiven, forgiven);
  draft.raise(place.node, own, [granted, grantedBefore, used, settled]);
}

/** Destroys the rights that are seen, and cancels only spendings whose cover is seen; of a stable record it is. */
export function resetBounded(draft: Draft, place: Place): void {
  const accounts = new Map(accountsAt(place));
  for (const slot of entriesAt(place, tagRights)) {
    const [granted = 0, , used = 0, usedBefore = 0] = vectorOf(slot.payload);
    const uncovered = draft.isStable ? 0 : Math.max(0, -balanceOf(accountOf(accounts, slot.actor)));
    const cancelled = Math.max(usedBefore, used - uncovered);
    raiseIfNew(draft, place, slot, [granted, granted, used, cancelled]);
  }
  for (const slot of entriesAt(place, tagMoved)) {
    const [moved = 0] = vectorOf(slot.payload);
    raiseIfNew(draft, place, slot, [moved, moved]);
  }
}

function raiseIfNew(draft: Draft, place: Place, slot: Entry, vector: readonly number[]): void {
  const known = vectorOf(slot.payload);
  if (vector.some((value, index) => value > (known[index] ?? 0))) draft.raise(place.node, slot, vector);
}
