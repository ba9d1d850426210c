/**
 * What must hold for any bytes whatsoever. Every public function that takes bytes is called with the input, and
 * merges are made with another record in both orders. Nothing but a `ConflictError` with a code that fits may be
 * thrown; what `validate` passes is canonical, is taken by everything, merges in any order to the same valid bytes,
 * and edits to valid bytes; no result is longer than what it is made of. What breaks a rule is kept with its bytes and
 * the examination goes on.
 */
import { checkFence } from '../causal/stability-tracker.ts';
import { VersionVector } from '../causal/version-vector.ts';
import { formatMinor } from '../codec/format.ts';
import { open, seal } from '../codec/seal.ts';
import { type ConflictCode, ConflictError } from '../errors.ts';
import { collectable } from '../record/collectable.ts';
import { compact } from '../record/compact.ts';
import { decode, encode } from '../record/decoded-record.ts';
import { diff } from '../record/diff.ts';
import { inspect } from '../record/inspect.ts';
import { join } from '../record/join.ts';
import { merge } from '../record/merge.ts';
import { schema, type Schema } from '../record/schema.ts';
import { contextOf, highestStamp, isDead, liveHash, version } from '../record/summary.ts';
import { validate } from '../record/validate.ts';
import { flipBit } from './blind-mutations.ts';
import { addWins, fields, lastWriterWins, withoutEngine } from './collections.ts';
import { actors, operate } from './edits.ts';
import type { Random } from './random.ts';

export interface Failure {
  readonly property: string;
  readonly detail: string;
  readonly input: Uint8Array;
  readonly other: Uint8Array;
}

const nothing: Uint8Array = new Uint8Array(0);
const mostFailures = 50;
const ofBytes: readonly ConflictCode[] = ['malformed', 'newer-format'];
const ofReading: readonly ConflictCode[] = [...ofBytes, 'text-engine-missing', 'too-deep'];
const ofEditing: readonly ConflictCode[] = [
  ...ofReading,
  'counter-out-of-range',
  'insufficient-rights',
  'invalid-argument',
  'invalid-value',
  'too-large',
  'unknown-field',
  'wrong-operation',
];

export class Examination {
  /** How often each function ended how: `merge malformed`, `read ok`. */
  readonly outcomes = new Map<string, number>();
  readonly failures: Failure[] = [];
  /** Codes of every error seen. */
  readonly codes = new Set<ConflictCode>();
  longestBytes = 0;
  #input: Uint8Array = nothing;
  #other: Uint8Array = nothing;
  #random: Random;
  /** The last error, where a call ended in one. */
  #error: ConflictError | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  examine(input: Uint8Array, other: Uint8Array): void {
    this.#input = input;
    this.#other = other;
    const isValid = this.#call('validate', ofBytes, () => validate(input)) !== failed;
    const context = this.#call('contextOf', ofBytes, () => contextOf(input));
    if (context !== failed) this.#examineCanonical(input);
    else if (isValid) this.#fail('valid bytes have a context', '');
    const type = this.#random.once(3) ? lastWriterWins : addWins;
    this.#examineMerges(isValid);
    this.#examineReading(type, isValid && minorOf(input) <= formatMinor);
    this.#examineEditing(type, isValid && minorOf(input) <= formatMinor);
    if (context !== failed) this.#examineHorizon(context, isValid && minorOf(input) <= formatMinor);
    this.#examineSeal(input);
    if (this.#random.once(64)) this.#examineSchema();
  }

  #call<Result>(name: string, allowed: readonly ConflictCode[], run: () => Result): Result | typeof failed {
    this.#error = null;
    try {
      const result = run();
      this.#count(`${name} ok`);
      return result;
    } catch (reason) {
      if (!(reason instanceof ConflictError)) {
        this.#fail(`${name} throws a ConflictError`, String(reason));
        return failed;
      }
      this.#error = reason;
      this.codes.add(reason.code);
      this.#count(`${name} ${reason.code}`);
      if (!allowed.includes(reason.code)) this.#fail(`${name} throws codes that fit`, String(reason));
      return failed;
    }
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #fail(property: string, detail: string): void {
    this.#count(`FAILED ${property}`);
    if (this.failures.length >= mostFailures) return;
    if (this.failures.filter((failure) => failure.property === property).length >= 3) return;
    this.failures.push({ property, detail, input: this.#input.slice(), other: this.#other.slice() });
  }

  #hold(property: string, holds: boolean, detail = ''): void {
    if (!holds) this.#fail(property, detail);
  }

  #examineCanonical(input: Uint8Array): void {
    this.#hold('what is decoded encodes to the same bytes', sameBytes(encode(decode(input)), input));
  }

  #examineMerges(isValid: boolean): void {
    const [input, other] = [this.#input, this.#other];
    const into = this.#merge(other, input);
    const onto = this.#merge(input, other);
    const alone = this.#merge(nothing, input);
    this.#hold('a state joined with nothing is itself', this.#merge(input, nothing) === input);
    if (!isValid) return;
    if (into === null || onto === null || alone === null) return this.#fail('valid bytes merge', '');
    this.#hold('an empty state takes a valid delta as it is', sameBytes(alone, input));
    for (const joined of [into, onto]) {
      this.#holdValid(joined);
      this.#hold('merging the input again changes nothing', this.#merge(joined, input) === joined);
      this.#hold('merging the other again changes nothing', this.#merge(joined, other) === joined);
    }
    if (into !== other)
      this.#hold('a merge is the join by its definition', sameBytes(into, joinOf(other, input)));
    // Where one side has seen all of the other, its entries stand, also if forged ones differ under the same dot.
    if (into !== other && onto !== input) this.#hold('merge is commutative', sameBytes(into, onto));
    else this.#hold('the side that has seen all wins', into === other || sameContext(into, input));
  }

  /** Only a slot of a later birth can bring a dot that was forged for something else on the other side. */
  #holdValid(joined: Uint8Array): void {
    const isValid = this.#call('validate', ofBytes, () => validate(joined)) !== failed;
    const isForged = this.#error?.rule === 'dot used twice';
    this.#hold('valid bytes merge to valid bytes', isValid || isForged, this.#error?.message);
  }

  #merge(state: Uint8Array, delta: Uint8Array): Uint8Array | null {
    const merged = this.#call('merge', ofBytes, () => merge(state, delta));
    if (merged === failed) return null;
    const most = state.length + delta.length;
    // Above 127 actors, the number of one may take a byte more in every entry, and so may the entry's size.
    const bound = most + 16 + (most < 512 ? 0 : most >> 1);
    this.#hold(
      'a merge is no longer than both sides',
      merged.state.length <= bound,
      `${merged.state.length}`,
    );
    this.longestBytes = Math.max(this.longestBytes, merged.state.length);
    return merged.state;
  }

  #examineReading(type: Schema, isSound: boolean): void {
    const [input, other] = [this.#input, this.#other];
    const read = this.#sound('read', isSound, () => type.read(input));
    const before = this.#random.once(8) ? other : nothing;
    this.#sound('diff', isSound, () => diff(type, before, input));
    this.#sound('inspect', isSound, () => inspect(input));
    this.#sound('version', isSound, () => version(input));
    const hash = this.#sound('liveHash', isSound, () => liveHash(input, 'name'));
    const dead = this.#sound('isDead', isSound, () => isDead(input));
    this.#sound('highestStamp', isSound, () => highestStamp(input));
    if (this.#random.once(8)) this.#call('read without engine', ofReading, () => withoutEngine.read(input));
    if (read === failed || hash === failed) return;
    this.#hold('a record exists unless it is dead', read.exists === (dead === false));
    this.#hold('a record that does not exist has no hash', read.exists === hash.some((byte) => byte !== 0));
  }

  /** Sound bytes are valid, and nothing in them is from a newer version; only texts may hold what nobody can read. */
  #sound<Result>(name: string, isSound: boolean, run: () => Result): Result | typeof failed {
    const result = this.#call(name, ofReading, run);
    if (result === failed && isSound && this.#error !== null) this.#holdTextual(name, this.#error);
    return result;
  }

  #holdTextual(name: string, { code, rule, message }: ConflictError): void {
    const isTextual = code === 'malformed' && rule === 'text';
    this.#hold(`${name} takes valid bytes`, isTextual || !ofBytes.includes(code), message);
  }

  #examineEditing(type: Schema, isSound: boolean): void {
    const { limits } = type;
    const input = this.#input;
    const random = this.#random;
    const context = {
      actor: random.once(40) ? '' : random.pick(actors),
      now: 1_700_000_000_002,
      floor: random.below(3),
    };
    const edited = this.#call('edit', ofEditing, () =>
      type.edit(input, context, (editor) => operate(editor, random, true)),
    );
    if (edited === failed) {
      if (isSound && this.#error !== null) this.#holdTextual('edit', this.#error);
      return;
    }
    const { state, delta } = edited;
    // What only takes away is as large as what it finds, and notes in every slot how much it has seen.
    const most = 2 * input.length + 100;
    this.#hold('a delta stays within its limit', delta.length <= Math.max(limits.deltaBytes, most));
    this.#hold('a state stays within its limit', state.length <= Math.max(limits.stateBytes, most));
    if (!isSound) return;
    this.#hold(
      'an edit of valid bytes is valid',
      this.#call('validate', [], () => validate(state)) !== failed,
    );
    this.#hold(
      'a delta of valid bytes is valid',
      this.#call('validate', [], () => validate(delta)) !== failed,
    );
    const joined = this.#merge(input, delta);
    this.#hold('a delta leads to the state', joined !== null && sameBytes(joined, state));
  }

  #examineHorizon(context: ReturnType<typeof contextOf>, isSound: boolean): void {
    const input = this.#input;
    const names = [...context.actors()];
    const horizon = VersionVector.from(names.map((actor) => [actor, context.last(actor)]));
    if (this.#random.once(16)) {
      this.#call('checkFence', ['below-horizon'], () => checkFence(new VersionVector(), horizon));
    }
    const compacted = this.#call('compact', ofBytes, () =>
      compact(input, horizon, new Set(names.slice(0, 1))),
    );
    if (compacted !== failed) {
      this.#hold('compacting shortens', compacted.state.length <= input.length);
      const record = this.#call('collectable', ofBytes, () => collectable(input));
      if (compacted.record === 'unstable') return;
      this.#hold('compacting says what the record is', compacted.record === record);
      if (record === 'hiding' && isSound) this.#examinePurge(input, horizon);
    }
  }

  /** Whoever has seen what everybody has seen leaves nothing behind that keeps the record from being dropped. */
  #examinePurge(input: Uint8Array, horizon: VersionVector): void {
    const context = { actor: 'purge', now: 1_700_000_000_002, horizon };
    const purged = this.#call('purge', ofEditing, () => addWins.edit(input, context, (e) => e.delete()));
    if (purged === failed) return;
    this.#hold('a purge leaves the record droppable', collectable(purged.state) === 'droppable');
  }

  /** One to three flipped bits within a kibibyte are always found. */
  #examineSeal(input: Uint8Array): void {
    this.#call('open', ['checksum-mismatch'], () => open(input));
    const sealed = seal(input);
    const length = Math.min(sealed.length, 1024);
    if (this.#random.once(8)) this.#hold('what is sealed opens', sameBytes(open(sealed), input));
    const from = this.#random.below(sealed.length - length + 1);
    const bits = new Set<number>();
    for (let count = 1 + this.#random.below(3); count > 0; count--)
      bits.add(8 * from + this.#random.below(8 * length));
    for (const bit of bits) flipBit(sealed, bit);
    const opened = this.#call('open flipped', ['checksum-mismatch'], () => open(sealed));
    this.#hold('flipped bits do not open', opened === failed, [...bits].join(' '));
  }

  #examineSchema(): void {
    const type = this.#random.pick(['register', 'nothing', '__proto__', 'map', 'set']);
    this.#call('schema', ['invalid-schema'], () =>
      Reflect.apply(schema, null, [{ x: { type, of: fields.likes } }]),
    );
  }
}

const failed = Symbol('failed');

function minorOf(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) & 0x0f;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function joinOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  return encode(join(decode(a), decode(b)));
}

function sameContext(a: Uint8Array, b: Uint8Array): boolean {
  return contextOf(a).equals(contextOf(b));
}
