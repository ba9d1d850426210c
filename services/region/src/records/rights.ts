/**
 * Who holds the rights of a bounded counter, read off a stored state (`FORMAT.md` of the conflict library, "Bounded
 * counter"). Rights of an actor that writes no more are stranded: nobody can spend them until they are claimed. Pure.
 */
import { type InspectedField, inspect } from '@isthmus/conflict';
import { type Actor, regionOfActor, type RegionId } from '@isthmus/replication/ports/identity';

export interface Holder {
  readonly actor: string;
  readonly region: RegionId | null;
  readonly rights: number;
}

/** In order of the actors' names; those that hold nothing are left out. */
export function holdersAt(state: Uint8Array, path: string): readonly Holder[] {
  if (state.length === 0) return [];
  return holdersIn(inspect(state).fields.filter((field) => field.path === path));
}

/** Of every bounded counter that holds rights, by path. */
export function allHolders(state: Uint8Array): ReadonlyMap<string, readonly Holder[]> {
  const fields = state.length === 0 ? [] : inspect(state).fields;
  const paths = new Set(fields.filter(({ type }) => type === 'bounded-counter').map(({ path }) => path));
  return new Map([...paths].map((path) => [path, holdersIn(fields.filter((each) => each.path === path))]));
}

interface Account {
  given: number;
  givenBefore: number;
  used: number;
  usedBefore: number;
}

function holdersIn(fields: readonly InspectedField[]): readonly Holder[] {
  const accounts = new Map<string, Account>();
  const account = (actor: string): Account => {
    const known = accounts.get(actor) ?? { given: 0, givenBefore: 0, used: 0, usedBefore: 0 };
    accounts.set(actor, known);
    return known;
  };
  for (const { type, entries } of fields)
    for (const { actor, value } of entries) {
      if (type === 'bounded-counter') addOwn(account(actor), value);
      else if (type === 'moved rights') addMoved(account(textIn(value, 'to')), value);
    }
  return [...accounts]
    .map(([actor, held]) => ({ actor, region: regionOfActor(actor), rights: rightsOf(held) }))
    .filter(({ rights }) => rights > 0)
    .toSorted((a, b) => (a.actor < b.actor ? -1 : 1));
}

function addOwn(account: Account, value: unknown): void {
  account.given += numberIn(value, 'granted');
  account.givenBefore += numberIn(value, 'grantedBeforeReset');
  account.used += numberIn(value, 'used');
  account.usedBefore += numberIn(value, 'usedBeforeReset');
}

function addMoved(account: Account, value: unknown): void {
  account.given += numberIn(value, 'moved');
  account.givenBefore += numberIn(value, 'movedBeforeReset');
}

function rightsOf({ given, givenBefore, used, usedBefore }: Account): number {
  const balance = given - givenBefore - (used - usedBefore);
  return balance + Math.min(Math.max(0, givenBefore - usedBefore), Math.max(0, -balance));
}

function numberIn(value: unknown, name: string): number {
  const found = memberOf(value, name);
  return typeof found === 'number' ? found : 0;
}

function textIn(value: unknown, name: string): string {
  const found = memberOf(value, name);
  return typeof found === 'string' ? found : '';
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** What is known of who writes now. */
export interface Writers {
  /** Under which this process writes. */
  readonly self: Actor;
  /** Regions that are gone for good. */
  readonly closed: ReadonlySet<RegionId>;
  /** Under which a peer writes, as far as it has been heard; `null`: nothing known. */
  actorOf(region: RegionId): Actor | null;
}

/** Nobody writes under this actor any more, as far as can be known here. */
export function isStranded({ actor, region }: Holder, writers: Writers): boolean {
  if (actor === writers.self || region === null) return false;
  if (writers.closed.has(region) || region === regionOfActor(writers.self)) return true;
  const known = writers.actorOf(region);
  return known !== null && known !== actor;
}
