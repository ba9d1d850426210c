/**
 * One edit in the model: what the operations of a replica add to what is known, and which facts its delta carries. A
 * delta carries what the edit did and, with every slot of a counter that it touched, the whole history of that slot;
 * a delete of the record carries everything. An operation that the library must refuse ends the edit with the reason,
 * and then nothing has happened.
 */
import type { JsonValue } from '../codec/value.ts';
import type { Field, Fields, MapField } from '../types/field.ts';
import {
  type Account,
  cancelled,
  distinctPaths,
  type Fact,
  gone,
  isWithin,
  sameAccount,
  samePath,
  sameValue,
  type Time,
  type Write,
} from './fact.ts';
import { Knowledge } from './knowledge.ts';
import {
  accountsAt,
  balanceOf,
  forgivenTo,
  isSpent,
  resetRights,
  rightsOf,
  standingOf,
} from './model-rights.ts';
import {
  charactersAt,
  declarationOf,
  elementsAt,
  hasLiveField,
  existsIn,
  fieldAt,
  isTextShown,
  lettersOf,
  memberNames,
  registerAt,
} from './model-view.ts';
import type { Names, Operation } from './operation.ts';
import type { Refusal } from './refusal.ts';

export interface ModelRules {
  readonly fields: Fields;
  readonly deletes: 'add-wins' | 'last-writer-wins';
}

export interface ModelContext {
  readonly actor: string;
  readonly now: number;
  /** Of the latest time that was collected; an actor's first edit comes later. */
  readonly floorMs: number;
  /** What the actor has seen go of earlier lives of the record, told with its first edit. */
  readonly remains: readonly Fact[];
  /** Of the actor's last edit of an earlier life; 0 where there was none. */
  readonly floorSequence: number;
  /** Whether everybody knows all that is known here. */
  readonly isStable: boolean;
  /** Gives a greater number on every call. */
  readonly sequence: () => number;
}

/** What the library's text engine does with many chunks: an edit that sees so many puts one in their place. */
const mostChunks = 16;

/** What shares a slot, in which only the latest write of an actor counts; chunks of texts have slots of their own. */
const slotKinds: { readonly [of in Write['of']]?: string } = {
  register: 'register',
  added: 'element',
  removed: 'element',
  mark: 'mark',
  deletion: 'deletion',
  client: 'client',
};

/** One edit of the model. */
export class ModelEdit {
  /** What is known after the operations so far. */
  readonly known: Knowledge;
  readonly #delta = new Set<Fact>();
  readonly #rules: ModelRules;
  readonly #context: ModelContext;
  readonly #time: Time;
  #exists = true;
  #markDue: boolean;
  #whole = false;
  readonly #before: Knowledge;
  readonly #noted: Fact[] = [];

  /** Begins an edit of what is known by a schema's rules. */
  constructor(before: Knowledge, rules: ModelRules, context: ModelContext) {
    this.#before = before;
    this.known = new Knowledge(before.facts);
    this.#rules = rules;
    this.#context = context;
    const isFirst = !before.knowsEditOf(context.actor, context.floorSequence);
    this.#time = this.known.timeAfter(context.now, isFirst ? context.floorMs : 0);
    this.#markDue = !existsIn(this.known);
  }

  /** Whether the edit did anything; then also what its delta says. */
  finish(): { readonly changed: boolean; readonly delta: ReadonlySet<Fact> } {
    const isMarked = this.#rules.deletes === 'last-writer-wins' || !hasLiveField(this.known);
    if (this.#exists && (this.#markDue || (isMarked && this.#hasChanged()))) this.#writeMark();
    const changed = this.#hasChanged();
    const { actor, remains, sequence } = this.#context;
    if (changed) this.#note(...remains, { kind: 'happened', actor, sequence: sequence() });
    return { changed, delta: this.#whole ? this.known.facts : this.#delta };
  }

  /** What was written and taken back within the edit leaves no trace. */
  #hasChanged(): boolean {
    return this.#noted.some((fact) => {
      if (fact.kind === 'write') return !this.known.facts.has(gone(fact));
      return fact.kind !== 'gone' || this.#before.facts.has(fact.what);
    });
  }

  /** `null`, or why the library must refuse. */
  apply(operation: Operation): Refusal | null {
    if (operation.op === 'delete') return this.#delete();
    if (!this.#exists) this.#markDue = true;
    this.#exists = true;
    switch (operation.op) {
      case 'set':
        return this.#set(operation.path, operation.value);
      case 'clear':
        return this.#reset(operation.path);
      case 'increment':
        return this.#increment(operation.path, operation.amount);
      case 'add':
        return this.#addAll(operation.path, operation.elements);
      case 'remove':
        return this.#removeAll(operation.path, operation.elements);
      case 'refill':
        return this.#refill(operation.path, operation.amount);
      case 'spend':
        return this.#use(operation.path, operation.amount, null);
      case 'moveRights':
        return this.#use(operation.path, operation.amount, operation.to);
      case 'splice':
        return this.#splice(operation.path, operation.before, operation.splice);
      case 'put':
        return this.#putMap([], { type: 'map', fields: this.#rules.fields }, operation.value);
    }
  }

  #note(...facts: readonly Fact[]): void {
    this.known.learn(facts);
    this.#carry(facts);
    this.#noted.push(...facts);
  }

  /** What was known before, and goes along. */
  #carry(facts: Iterable<Fact>): void {
    for (const fact of facts) this.#delta.add(fact);
  }

  #write(of: Write['of'], path: Names, value: JsonValue = null): void {
    const { actor, sequence } = this.#context;
    const isElement = of === 'added' || of === 'removed';
    const timed = of !== 'client' && (!isElement || this.#rules.deletes === 'last-writer-wins');
    const time = timed ? this.#time : null;
    const number = sequence();
    const slot = JSON.stringify([slotKinds[of] ?? number, actor, path, of === 'register' ? null : value]);
    this.#note({ kind: 'write', of, path, value, time, actor, slot, sequence: number });
  }

  #forget(writes: readonly Write[]): void {
    this.#note(...writes.map(gone));
  }

  #writeMark(): void {
    this.#forget(this.known.writes().filter((write) => write.of === 'mark'));
    this.#write('mark', []);
  }

  #delete(): null {
    const lives = (this.#exists && this.#hasChanged()) || existsIn(this.known);
    this.#exists = false;
    this.#markDue = false;
    this.#reset([]);
    if (lives) this.#forget(this.known.writes().filter((write) => write.of === 'deletion'));
    if (lives && this.#rules.deletes === 'last-writer-wins') this.#write('deletion', []);
    this.#whole = this.#hasChanged();
    return null;
  }

  #set(path: Names, value: JsonValue): null {
    this.#forget(this.known.writesAt(path));
    this.#write('register', path, value);
    return null;
  }

  /** Forgets everything that is seen at a path and below, but no deletion of the record. */
  #reset(path: Names): null {
    const inside = this.known.writes().filter((write) => isWithin(write.path, path));
    const writes = inside.filter((write) => write.of !== 'deletion');
    const chunks = writes.filter((write) => write.of === 'chunk' || write.of === 'remnant');
    for (const each of distinctPaths(chunks.map((write) => write.path))) this.#clearText(each);
    this.#forget(writes.filter((write) => !chunks.includes(write)));
    for (const each of this.known.increments()) {
      if (!isWithin(each.path, path) || !this.known.isOpen(each)) continue;
      this.#carrySlot(each.path, each.actor);
      this.#note(cancelled(each));
    }
    const accounts = this.known.accounts().filter((account) => isWithin(account.path, path));
    const noted = distinctPaths(accounts.map((account) => account.path)).flatMap((each) =>
      resetRights(this.known, each, this.#context.isStable),
    );
    this.#note(...noted);
    return null;
  }

  #carrySlot(path: Names, actor: string): void {
    for (const each of this.known.increments()) {
      if (each.actor !== actor || !samePath(each.path, path)) continue;
      this.#carry(this.known.isOpen(each) ? [each] : [each, cancelled(each)]);
    }
  }

  #increment(path: Names, amount: number): null {
    if (amount === 0) return null;
    const { actor } = this.#context;
    this.#carrySlot(path, actor);
    this.#note({ kind: 'increment', path, actor, amount });
    return null;
  }

  #elementsOf(path: Names, elements: readonly JsonValue[]) {
    const wanted = new Set(elements.map((element) => (element === 0 ? 0 : element)));
    return { wanted, seen: this.known.writesAt(path).filter((write) => wanted.has(write.value)) };
  }

  #addAll(path: Names, elements: readonly JsonValue[]): null {
    const { wanted, seen } = this.#elementsOf(path, elements);
    this.#forget(seen);
    for (const element of wanted) this.#write('added', path, element);
    return null;
  }

  #removeAll(path: Names, elements: readonly JsonValue[]): null {
    const { wanted, seen } = this.#elementsOf(path, elements);
    this.#forget(seen);
    const field = fieldAt(this.#rules.fields, path);
    if (field?.type === 'set' && field.bias === 'remove') {
      for (const element of wanted) this.#write('removed', path, element);
    }
    return null;
  }

  #refill(path: Names, amount: number): null {
    if (amount === 0) return null;
    this.#settle(path);
    this.#book({ path, actor: this.#context.actor, to: null }, 'granted', amount);
    return null;
  }

  /** Spends rights, or moves them to somebody. */
  #use(path: Names, amount: number, to: string | null): Refusal | null {
    const { actor } = this.#context;
    if (to === actor) return { code: 'invalid-value', have: 0, need: 0 };
    if (amount === 0) return null;
    const have = Math.max(0, rightsOf(this.known, path, actor));
    if (amount > have) return { code: 'insufficient-rights', have, need: amount };
    this.#settle(path);
    this.#book({ path, actor, to: null }, 'used', amount);
    if (to !== null) this.#book({ path, actor, to }, 'granted', amount);
    return null;
  }

  /** Books what is forgiven to the actor, so that new rights are not eaten by it. */
  #settle(path: Names): void {
    const own = this.#accountLike({ path, actor: this.#context.actor, to: null });
    const forgiven = forgivenTo(balanceOf(this.known, path, own.actor));
    if (forgiven === 0 || this.known.lifeOf(own) === 0) return;
    const upTo = standingOf(this.known, own).usedBefore + forgiven;
    this.#carry(this.known.bookingsOf(own));
    this.#note({ kind: 'settled', account: own, life: this.known.lifeOf(own), side: 'used', upTo });
  }

  /** Adds to an account; one with nothing left begins a new life. */
  #book(wanted: Account, side: 'granted' | 'used', amount: number): void {
    const account = this.#accountLike(wanted);
    const isOpen = this.known.lifeOf(account) > 0 && !isSpent(standingOf(this.known, account));
    const life = isOpen ? this.known.lifeOf(account) : this.#context.sequence();
    if (isOpen) this.#carry(this.known.bookingsOf(account));
    this.#note({ kind: 'booking', account, life, side, amount });
  }

  #accountLike(wanted: Account): Account {
    return accountsAt(this.known, wanted.path).find((each) => sameAccount(each, wanted)) ?? wanted;
  }

  #chunksAt(path: Names): readonly Write[] {
    return this.known.writesAt(path).filter((write) => write.of === 'chunk' || write.of === 'remnant');
  }

  #clearText(path: Names): void {
    const chunks = this.#chunksAt(path);
    if (chunks.every((chunk) => chunk.of === 'remnant')) return;
    const after = this.known.typedAt(path);
    this.#forget(chunks);
    this.#write('remnant', path);
    this.#carry(after);
    this.#note({
      kind: 'typed',
      path,
      inserted: [],
      erased: [...lettersOf(after)],
      between: ['', ''],
      after,
    });
  }

  #splice(path: Names, before: string, splice: { at: number; delete?: number; insert?: string }): null {
    const { at, delete: count = 0, insert = '' } = splice;
    if (count === 0 && insert === '') return null;
    if (!isTextShown(this.known, path)) this.#clearText(path);
    const between = [
      Array.from(before.slice(0, at)).at(-1) ?? '',
      Array.from(before.slice(at + count)).at(0) ?? '',
    ] as const;
    return this.#type(path, {
      inserted: Array.from(insert),
      erased: Array.from(before.slice(at, at + count)),
      between,
    });
  }

  #type(
    path: Names,
    typed: { inserted: readonly string[]; erased: readonly string[]; between: readonly [string, string] },
  ): null {
    const after = this.known.typedAt(path);
    const chunks = this.#chunksAt(path);
    if (chunks.length >= mostChunks || chunks.some((each) => each.of === 'remnant')) {
      this.#forget(chunks);
      this.#carry(after);
    }
    const isNumbered = (write: Write) => write.of === 'client' && write.actor === this.#context.actor;
    if (!this.known.writesAt(path).some(isNumbered)) this.#write('client', path);
    this.#note({ kind: 'typed', path, ...typed, after });
    this.#write('chunk', path);
    return null;
  }

  #putMap(path: Names, map: MapField, value: { readonly [name: string]: JsonValue }): null {
    const named = new Map(Object.entries(value));
    for (const name of new Set([...named.keys(), ...memberNames(this.known, map, path)])) {
      const field = declarationOf(map, name);
      if (field === undefined) continue;
      const child = [...path, name];
      const given = named.get(name);
      if (given === undefined) this.#clearUnnamed(child, field);
      else this.#putField(child, field, given);
    }
    return null;
  }

  #clearUnnamed(path: Names, field: Field): null {
    if (field.type === 'counter' || field.type === 'bounded-counter') return null;
    return field.type === 'map' ? this.#putMap(path, field, {}) : this.#reset(path);
  }

  #putField(path: Names, field: Field, value: JsonValue): null {
    if (field.type === 'map') return this.#putMap(path, field, Object(value));
    if (field.type === 'set') return this.#putSet(path, Array.isArray(value) ? value : []);
    if (field.type === 'text') return this.#putText(path, typeof value === 'string' ? Array.from(value) : []);
    // Generated puts name counters only with the value that they show, which changes nothing.
    if (field.type !== 'register') return null;
    const shown = registerAt(this.known, path, field);
    return shown !== undefined && sameValue(shown, value) ? null : this.#set(path, value);
  }

  #putSet(path: Names, elements: readonly JsonValue[]): null {
    const wanted = [...new Set(elements.map((element) => (element === 0 ? 0 : element)))];
    const shown = elementsAt(this.known, path);
    const missing = wanted.filter((element) => !shown.includes(element));
    const surplus = shown.filter((element) => !wanted.includes(element));
    if (missing.length > 0) this.#addAll(path, missing);
    return surplus.length > 0 ? this.#removeAll(path, surplus) : null;
  }

  /** Generated puts hold new characters only, so everything that is shown goes. */
  #putText(path: Names, inserted: readonly string[]): null {
    const erased = [...charactersAt(this.known, path)];
    if (erased.length === 0 && inserted.length === 0) return null;
    if (!isTextShown(this.known, path)) this.#clearText(path);
    return this.#type(path, { inserted, erased, between: ['', ''] });
  }
}
