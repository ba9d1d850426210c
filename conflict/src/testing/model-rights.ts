/**
 * Bounded counters in the model. Every account is a list of bookings; how much of each side no longer counts is the
 * greatest number that anybody noted. An actor's balance is what it was given and not yet used; a debt is forgiven as
 * far as resets have destroyed what it was spent from.
 */
import { type Account, type Fact, samePath } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import type { Names } from './operation.ts';

/** The numbers of one account in its latest life. */
export interface Standing {
  readonly granted: number;
  readonly grantedBefore: number;
  readonly used: number;
  readonly usedBefore: number;
}

export interface Balance {
  readonly given: number;
  readonly givenBefore: number;
  readonly used: number;
  readonly usedBefore: number;
}

export function standingOf(known: Knowledge, account: Account): Standing {
  const life = known.lifeOf(account);
  const standing = { granted: 0, grantedBefore: 0, used: 0, usedBefore: 0 };
  for (const each of known.bookingsOf(account)) {
    if (each.life !== life) continue;
    if (each.kind === 'booking') standing[each.side] += each.amount;
    if (each.kind !== 'settled') continue;
    const side = each.side === 'granted' ? 'grantedBefore' : 'usedBefore';
    standing[side] = Math.max(standing[side], each.upTo);
  }
  return standing;
}

/** Nothing is left of it: everything was reset. */
export function isSpent({ granted, grantedBefore, used, usedBefore }: Standing): boolean {
  return granted <= grantedBefore && used <= usedBefore;
}

export function accountsAt(known: Knowledge, path: Names): readonly Account[] {
  return known.accounts().filter((account) => samePath(account.path, path));
}

/** What an actor has at a bounded counter, over its own account and what others moved to it. */
export function balanceOf(known: Knowledge, path: Names, actor: string): Balance {
  const balance = { given: 0, givenBefore: 0, used: 0, usedBefore: 0 };
  for (const account of accountsAt(known, path)) {
    const standing = standingOf(known, account);
    if (account.to === null && account.actor === actor) {
      balance.used += standing.used;
      balance.usedBefore += standing.usedBefore;
    }
    if ((account.to ?? account.actor) !== actor) continue;
    balance.given += standing.granted;
    balance.givenBefore += standing.grantedBefore;
  }
  return balance;
}

export function leftOf({ given, givenBefore, used, usedBefore }: Balance): number {
  return given - givenBefore - (used - usedBefore);
}

export function forgivenTo(balance: Balance): number {
  const debt = -leftOf(balance);
  const destroyed = balance.givenBefore - balance.usedBefore;
  return debt > 0 && destroyed > 0 ? Math.min(debt, destroyed) : 0;
}

/** Negative where a spending has arrived before its cover. */
export function rightsOf(known: Knowledge, path: Names, actor: string): number {
  const balance = balanceOf(known, path, actor);
  return leftOf(balance) + forgivenTo(balance);
}

/** Everybody who holds or ever used rights. */
export function holdersAt(known: Knowledge, path: Names): readonly string[] {
  return [...new Set(accountsAt(known, path).map((account) => account.to ?? account.actor))];
}

/** A reset: rights that it sees are gone, and so are spendings that were covered by what it sees, all of what is stable. */
export function resetRights(known: Knowledge, path: Names, isStable: boolean): readonly Fact[] {
  return accountsAt(known, path).flatMap((account) => {
    const { granted, grantedBefore, used, usedBefore } = standingOf(known, account);
    const isCovered = isStable || account.to !== null;
    const debt = isCovered ? 0 : Math.max(0, -leftOf(balanceOf(known, path, account.actor)));
    const cancelledUse = Math.max(usedBefore, used - debt);
    if (granted <= grantedBefore && cancelledUse <= usedBefore) return [];
    const life = known.lifeOf(account);
    return [
      ...known.bookingsOf(account),
      { kind: 'settled', account, life, side: 'granted', upTo: granted } as const,
      { kind: 'settled', account, life, side: 'used', upTo: cancelledUse } as const,
    ];
  });
}
