/**
 * Everything that the package exports, called with every argument in turn of the wrong kind: each call ends in an error
 * of the package that names the parameter and what was given, and never in anything else.
 */
import { describe, expect, test } from 'vitest';
import * as core from '../index.ts';
import { yjsText } from '../text/yjs-text.ts';

type Call = (value: unknown) => unknown;
type Kind = 'bytes' | 'vector' | 'context' | 'text' | 'texts' | 'number' | 'object' | 'list' | 'function';

/** What is called, with which parameter taken from outside, of which kind, and whether it may be left out. */
interface Parameter {
  readonly call: Call;
  readonly kind: Kind;
  readonly rules: readonly string[];
  readonly optional?: boolean;
}

const nothing = new Uint8Array(0);
const fields = { title: core.register(), likes: core.counter() };
const type = core.schema(fields, { text: yjsText });
const { state } = type.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.set('title', 'a'));
const vector = core.VersionVector.from([['eu', 1]]);
const clockOptions = { maxDriftMs: 1, beyondDrift: 'reject' } as const;

class Foreign {
  readonly max = 'x';
  readonly length = 3;
  get actor(): string {
    throw new TypeError('not for you');
  }
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const refusing = new Proxy(
  {},
  {
    get() {
      throw new TypeError('no member');
    },
    ownKeys() {
      throw new TypeError('no keys');
    },
    getPrototypeOf() {
      throw new TypeError('no prototype');
    },
  },
);

const hostile: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['NaN', Number.NaN],
  ['-1', -1],
  ['2^60', 2 ** 60],
  ['a bigint', 5n],
  ['a symbol', Symbol('s')],
  ['true', true],
  ['a text', 'x'],
  ['a lone surrogate', '\ud800'],
  ['a huge text', 'x'.repeat(100_000)],
  ['a function', () => 1],
  ['a date', new Date(0)],
  ['a map', new Map([[1, 2]])],
  ['a set of numbers', new Set([1])],
  ['an object', {}],
  [
    'an object with strange members',
    { actor: 5, counter: 'x', ms: 1n, logical: {}, max: '', runs: 7, type: 3, read: 1 },
  ],
  ['an instance of another class', new Foreign()],
  ['an array of nothing', [null, undefined, 5]],
  ['an array buffer', new ArrayBuffer(8)],
  ['other views', new Uint16Array(4)],
  ['a view of bigints', new BigInt64Array(2)],
  ['a proxy of bytes', new Proxy(state, {})],
  ['a proxy of a vector', new Proxy(vector, {})],
  ['a proxy of a context', new Proxy(core.contextOf(state), {})],
  ['a proxy of a set', new Proxy(new Set(['eu']), {})],
  ['a proxy that refuses everything', refusing],
  ['a revoked proxy', revoked({})],
  ['a revoked array', revoked([])],
];

const bytes = (call: (value: Uint8Array) => unknown, rule = 'state'): Parameter => ({
  call: (value) => Reflect.apply(call, undefined, [value]),
  kind: 'bytes',
  rules: [rule],
});
const of = (
  kind: Kind,
  rules: readonly string[],
  call: (value: never) => unknown,
  optional = false,
): Parameter => ({
  call: (value) => Reflect.apply(call, undefined, [value]),
  kind,
  rules,
  optional,
});
const context = () => core.contextOf(state);
const tracker = () => new core.StabilityTracker(['eu']);
const clock = () => new core.HybridClock(clockOptions);
const editWith = (value: never) => type.edit(state, value, (e) => e.set('title', 'b'));

const parameters: Readonly<Record<string, readonly Parameter[]>> = {
  'CausalContext.seenOf': [of('text', ['actor'], (value) => context().seenOf(value))],
  'CausalContext.last': [of('text', ['actor'], (value) => context().last(value))],
  'CausalContext.has': [
    of('object', ['dot', 'actor', 'counter'], (value) => context().has(value)),
    of('text', ['actor'], (value) => context().has({ actor: value, counter: 1 })),
  ],
  'CausalContext.add': [
    of('object', ['dot', 'actor', 'counter'], (value) => context().add(value)),
    of('number', ['counter'], (value) => context().add({ actor: 'eu', counter: value })),
  ],
  'CausalContext.addRun': [
    of('text', ['actor'], (value) => context().addRun(value, 1, 2)),
    of('number', ['counter'], (value) => context().addRun('eu', value, 2)),
    of('number', ['counter'], (value) => context().addRun('eu', 1, value)),
  ],
  'CausalContext.addAll': [
    of('list', ['dots', 'dot', 'actor', 'counter'], (value) => context().addAll(value)),
  ],
  'CausalContext.addSeen': [
    of('text', ['actor'], (value) => context().addSeen(value, { max: 1, runs: [] })),
    of('object', ['seen', 'max', 'runs'], (value) => context().addSeen('eu', value)),
  ],
  'CausalContext.merge': [of('context', ['other'], (value) => context().merge(value))],
  'CausalContext.covers': [of('context', ['other'], (value) => context().covers(value))],
  'CausalContext.equals': [of('context', ['other'], (value) => context().equals(value))],
  'VersionVector.get': [of('text', ['actor'], (value) => vector.get(value))],
  'VersionVector.raise': [
    of('text', ['actor'], (value) => new core.VersionVector().raise(value, 1)),
    of('number', ['counter'], (value) => new core.VersionVector().raise('eu', value)),
  ],
  'VersionVector.covers': [of('vector', ['other'], (value) => vector.covers(value))],
  'VersionVector.join': [of('vector', ['other'], (value) => vector.join(value))],
  'VersionVector.meet': [of('vector', ['other'], (value) => vector.meet(value))],
  'VersionVector from': [
    of('list', ['entries', 'actor', 'counter'], (value) => core.VersionVector.from(value)),
    of('list', ['entries', 'actor', 'counter'], (value) => core.VersionVector.from([value])),
  ],
  StabilityTracker: [
    of('texts', ['members'], (value) => new core.StabilityTracker(value)),
    of('texts', ['former'], (value) => new core.StabilityTracker(['eu'], value), true),
  ],
  'StabilityTracker.observe': [
    of('text', ['member'], (value) => tracker().observe(value, vector)),
    of('vector', ['seen'], (value) => tracker().observe('eu', value)),
    of('vector', ['seen'], (value) => tracker().observe('nobody', value)),
  ],
  'StabilityTracker.admit': [
    of('text', ['member'], (value) => tracker().admit(value, vector)),
    of('vector', ['seen'], (value) => tracker().admit('us', value)),
  ],
  'StabilityTracker.evict': [of('text', ['member'], (value) => tracker().evict(value))],
  checkFence: [
    of('vector', ['senderSaw'], (value) => core.checkFence(value, new core.VersionVector())),
    of('vector', ['horizon'], (value) => core.checkFence(vector, value)),
  ],
  HybridClock: [
    of('object', ['options', 'maxDriftMs', 'beyondDrift'], (value) => new core.HybridClock(value)),
    of('number', ['maxDriftMs'], (value) => new core.HybridClock({ ...clockOptions, maxDriftMs: value })),
    of('object', ['beyondDrift'], (value) => new core.HybridClock({ ...clockOptions, beyondDrift: value })),
    of('object', ['stamp'], (value) => new core.HybridClock(clockOptions, value ?? undefined), true),
  ],
  'HybridClock.send': [of('number', ['now'], (value) => clock().send(value))],
  'HybridClock.receive': [
    of('object', ['stamp'], (value) => clock().receive(value, 1)),
    of('number', ['now'], (value) => clock().receive({ ms: 1, logical: 0 }, value)),
  ],
  compareStamps: [
    of('object', ['stamp'], (value) => core.compareStamps(value, { ms: 1, logical: 0 })),
    of('object', ['stamp'], (value) => core.compareStamps({ ms: 1, logical: 0 }, value)),
  ],
  namesOf: [of('text', ['path'], (value) => core.namesOf(value))],
  pathOf: [of('texts', ['path'], (value) => core.pathOf(value))],
  seal: [bytes(core.seal, 'bytes')],
  open: [bytes(core.open, 'sealed')],
  mergeMany: [
    of('list', ['states'], (value) => core.mergeMany(value as Iterable<Uint8Array>, [state])),
    of('list', ['deltas'], (value) => core.mergeMany([state], value as Iterable<Uint8Array>)),
    bytes((value) => core.mergeMany([value], [state])),
    bytes((value) => core.mergeMany([state], [value]), 'delta'),
  ],
  merge: [bytes((value) => core.merge(value, state)), bytes((value) => core.merge(state, value), 'delta')],
  collectable: [bytes(core.collectable)],
  compact: [
    bytes((value) => core.compact(value, vector)),
    of('vector', ['horizon'], (value) => core.compact(state, value)),
    of('texts', ['retired'], (value) => core.compact(state, vector, value), true),
  ],
  diff: [
    of('object', ['type'], (value) => core.diff(value, state, state)),
    bytes((value) => core.diff(type, value, state)),
    bytes((value) => core.diff(type, state, value)),
  ],
  inspect: [
    bytes((value) => core.inspect(value)),
    of('object', ['type'], (value) => core.inspect(state, value), true),
  ],
  contextOf: [bytes(core.contextOf)],
  highestStamp: [bytes(core.highestStamp)],
  hasSiblings: [bytes(core.hasSiblings)],
  isDead: [bytes(core.isDead)],
  mayBeDead: [bytes(core.mayBeDead)],
  version: [bytes(core.version)],
  validate: [bytes(core.validate)],
  liveHash: [
    bytes((value) => core.liveHash(value)),
    of('text', ['name'], (value) => core.liveHash(state, value), true),
    of('text', ['name'], (value) => core.liveHash(nothing, value), true),
  ],
  schema: [
    of('object', ['object', 'at-least-one-field', 'type', 'fields', 'field-name'], (value) =>
      core.schema(value),
    ),
    of('object', ['object', 'type'], (value) => core.schema({ a: value })),
    of('object', ['options'], (value) => core.schema(fields, value), true),
    of('object', ['deletes'], (value) => core.schema(fields, { deletes: value }), true),
    of('object', ['limits', 'max'], (value) => core.schema(fields, { limits: value }), true),
    of('number', ['depth'], (value) => core.schema(fields, { limits: { depth: value } })),
    of('object', ['text'], (value) => core.schema(fields, { text: value }), true),
  ],
  'Schema.read': [bytes((value) => type.read(value))],
  'Schema.edit': [
    bytes((value) => type.edit(value, { actor: 'eu', now: 1 }, (e) => e.put({}))),
    of('object', ['context', 'actor'], editWith),
    of('text', ['actor'], (value) => type.edit(state, { actor: value, now: 1 }, (e) => e.put({}))),
    of('number', ['now'], (value) => type.edit(state, { actor: 'eu', now: value }, (e) => e.put({}))),
    of(
      'number',
      ['floor'],
      (value) => type.edit(state, { actor: 'eu', now: 1, floor: value }, (e) => e.put({})),
      true,
    ),
    of(
      'number',
      ['floorMs'],
      (value) => type.edit(state, { actor: 'eu', now: 1, floorMs: value }, (e) => e.put({})),
      true,
    ),
    of(
      'vector',
      ['horizon'],
      (value) => type.edit(state, { actor: 'eu', now: 1, horizon: value }, (e) => e.put({})),
      true,
    ),
    of('function', ['function'], (value) => type.edit(state, { actor: 'eu', now: 1 }, value)),
  ],
  register: [of('object', ['options'], (value) => core.register(value), true)],
  boundedCounter: [of('object', ['options'], (value) => core.boundedCounter(value), true)],
  set: [of('object', ['options'], (value) => core.set(value), true)],
  map: [of('object', ['map'], (value) => core.map(value))],
};

/** Take no argument, or are thrown and never called. */
const withoutArguments = new Set(['counter', 'text', 'AssertionFailure', 'ConflictError']);
const methodsWithout = new Set(['actors', 'clone', 'entries', 'members', 'constructor']);

/** Whether a value is of the kind, so that the call may take it. */
function isFit(kind: Kind, value: unknown): boolean {
  if (kind === 'text') return typeof value === 'string';
  if (kind === 'number') return typeof value === 'number';
  if (kind === 'function') return typeof value === 'function';
  // Contents are judged where they mean something; here, that nothing bare comes out.
  return (
    (kind === 'object' || kind === 'list' || kind === 'texts') && typeof value === 'object' && value !== null
  );
}

test('the table names everything that is exported and takes arguments', () => {
  const named = new Set(Object.keys(parameters).map((name) => name.split(/[ .]/)[0]));
  const missing = Object.keys(core).filter((name) => !named.has(name) && !withoutArguments.has(name));
  expect(missing).toEqual([]);
  for (const each of [core.CausalContext, core.VersionVector, core.StabilityTracker, core.HybridClock]) {
    const members = Object.entries(Object.getOwnPropertyDescriptors(each.prototype));
    const methods = members.filter(([name, { value }]) => value !== undefined && !methodsWithout.has(name));
    expect(methods.filter(([name]) => !Object.hasOwn(parameters, `${each.name}.${name}`))).toEqual([]);
  }
});

describe.each(Object.entries(parameters))('%s', (_name, all) => {
  test.each(hostile)('takes %s or refuses it by name', (_what, value) => {
    for (const { call, kind, rules, optional = false } of all) {
      let failure: unknown = null;
      try {
        call(value);
      } catch (reason) {
        failure = reason;
      }
      if (failure === null) {
        expect(isFit(kind, value) || (optional && (value === undefined || value === null))).toBe(true);
        continue;
      }
      expect(failure).toBeInstanceOf(core.ConflictError);
      expect(failure).toMatchObject({ code: expect.stringMatching(/^(invalid-|below-horizon)/) });
      const { rule, value: told } =
        failure instanceof core.ConflictError ? failure : { rule: '', value: null };
      if (!isFit(kind, value)) expect(rules).toContain(rule);
      if (!isFit(kind, value) && value !== null) expect(told).not.toBeNull();
    }
  });
});
