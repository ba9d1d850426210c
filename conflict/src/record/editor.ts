/**
 * Collects what one edit wants, checks each call against the schema and the limits, and changes nothing yet.
 * Calls act in their order: a later one on the same field replaces or continues the earlier, and a delete takes
 * back all before it. A refused call throws a ConflictError and leaves the plan as it was.
 */
import { encodeJson, isPlain } from '../codec/json.ts';
import { ConflictError, describe } from '../errors.ts';
import type { FieldDeclaration, FieldDeclarations } from '../types/declarations.ts';
import { compareBytes } from '../codec/byte-reader.ts';
import type { Decoded } from './decoded.ts';
import type { Life } from './life.ts';
import { lifeOf } from './life.ts';
import { deltaLimitBytes } from './limits.ts';
import { countOf, siblingsOf } from './shown.ts';

export type FieldPlan =
  | { readonly type: 'set'; readonly payload: Uint8Array }
  | { readonly type: 'clear' }
  | { readonly type: 'count'; readonly reset: boolean; readonly amount: number };

export interface Editor {
  /** Writes a register, also with an equal value. */
  set(path: string, value: unknown): void;
  /** Takes away what a field holds; a counter goes back to 0. */
  clear(path: string): void;
  /** Adds to a counter; negative amounts subtract. */
  increment(path: string, amount: number): void;
  /** Makes the record show exactly this, and writes only what differs. */
  put(value: unknown): void;
  /** Deletes the record. */
  delete(): void;
  add(path: string, elements: unknown): void;
  remove(path: string, elements: unknown): void;
  spend(path: string, amount: number): void;
  refill(path: string, amount: number): void;
  moveRights(path: string, move: unknown): void;
  splice(path: string, splices: unknown): void;
}

export class EditPlan implements Editor {
  readonly before: Decoded;
  readonly life: Life;
  readonly fields = new Map<string, FieldPlan>();
  deletes = false;
  /** The record is to exist: always, unless a delete is the last that was asked for. */
  writes = true;
  private readonly declarations: FieldDeclarations;

  constructor(before: Decoded, declarations: FieldDeclarations) {
    this.before = before;
    this.declarations = declarations;
    this.life = lifeOf(before.entries);
  }

  set(path: string, value: unknown): void {
    this.expect(path, 'register', 'set takes registers; counters are incremented');
    this.fields.set(path, { type: 'set', payload: encodeJson(value, path, deltaLimitBytes) });
    this.writes = true;
  }

  clear(path: string): void {
    const { type } = this.declared(path);
    this.fields.set(path, type === 'counter' ? { type: 'count', reset: true, amount: 0 } : { type: 'clear' });
    this.writes = true;
  }

  increment(path: string, amount: number): void {
    this.expect(path, 'counter', 'increment takes counters');
    checkAmount(path, amount);
    const plan = this.fields.get(path);
    const before = plan?.type === 'count' ? plan : { reset: false, amount: 0 };
    const next = before.amount + amount;
    checkRange(path, next, amount);
    const held = before.reset || this.deletes ? 0 : countOf(this.before.entries, path);
    checkRange(path, held + next, amount);
    this.fields.set(path, { type: 'count', reset: before.reset, amount: next });
    this.writes = true;
  }

  put(value: unknown): void {
    const named = memberOf(value);
    for (const name of named.keys()) this.declared(name);
    const plans = Object.entries(this.declarations).map(
      ([name, { type }]) => [name, type === 'counter' ? null : this.difference(name, named)] as const,
    );
    for (const [name, { type }] of Object.entries(this.declarations)) {
      if (type === 'counter' && named.has(name)) this.expectCount(name, named.get(name));
    }
    for (const [name, plan] of plans) if (plan !== null) this.fields.set(name, plan);
    this.writes = true;
  }

  delete(): void {
    this.fields.clear();
    this.writes = false;
    this.deletes = this.life.exists;
  }

  add(path: string): void {
    this.refuse(path, 'add takes sets');
  }

  remove(path: string): void {
    this.refuse(path, 'remove takes sets');
  }

  spend(path: string): void {
    this.refuse(path, 'spend takes bounded counters');
  }

  refill(path: string): void {
    this.refuse(path, 'refill takes bounded counters');
  }

  moveRights(path: string): void {
    this.refuse(path, 'moveRights takes bounded counters');
  }

  splice(path: string): void {
    this.refuse(path, 'splice takes text');
  }

  private difference(name: string, named: ReadonlyMap<string, unknown>): FieldPlan | null {
    const held = this.heldPayload(name);
    if (!named.has(name)) return held === null ? null : { type: 'clear' };
    const payload = encodeJson(named.get(name), name, deltaLimitBytes);
    return held !== null && compareBytes(held, payload) === 0 ? null : { type: 'set', payload };
  }

  private expectCount(name: string, value: unknown): void {
    const plan = this.fields.get(name);
    const planned = plan?.type === 'count' ? plan : { reset: false, amount: 0 };
    const held = planned.reset || this.deletes ? 0 : countOf(this.life.live, name);
    if (value === held + planned.amount) return;
    const rule = 'put leaves counters as they are; increment them';
    throw new ConflictError('wrong-operation', {
      field: name,
      rule,
      limit: held + planned.amount,
      value: describe(value),
    });
  }

  private heldPayload(name: string): Uint8Array | null {
    const plan = this.fields.get(name);
    if (plan !== undefined) return plan.type === 'set' ? plan.payload : null;
    return this.deletes ? null : (siblingsOf(this.life.live, name)[0]?.payload ?? null);
  }

  private declared(path: string): FieldDeclaration {
    const declaration = Object.hasOwn(this.declarations, path) ? this.declarations[path] : undefined;
    if (declaration !== undefined) return declaration;
    throw new ConflictError('unknown-field', { field: path, rule: 'not declared', value: describe(path) });
  }

  private expect(path: string, type: FieldDeclaration['type'], rule: string): void {
    const found = this.declared(path).type;
    if (found !== type) throw new ConflictError('wrong-operation', { field: path, rule, value: found });
  }

  private refuse(path: string, rule: string): void {
    const { type } = this.declared(path);
    throw new ConflictError('wrong-operation', { field: path, rule, value: type });
  }
}

function memberOf(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isPlain(value)) {
    throw new ConflictError('invalid-value', {
      rule: 'put takes an object of fields',
      value: describe(value),
    });
  }
  return new Map(Object.entries(value));
}

function checkAmount(field: string, amount: unknown): void {
  if (typeof amount !== 'number' || !Number.isInteger(amount)) {
    throw new ConflictError('invalid-value', {
      field,
      rule: 'an amount is an integer',
      value: describe(amount),
    });
  }
  checkRange(field, amount, amount);
}

function checkRange(field: string, result: number, amount: number): void {
  if (Number.isSafeInteger(result)) return;
  throw new ConflictError('counter-out-of-range', {
    field,
    rule: 'counters stay within the safe integers',
    limit: Number.MAX_SAFE_INTEGER,
    value: amount,
  });
}
