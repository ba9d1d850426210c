/**
 * Operations of an edit by number, with arguments that people send and arguments that nobody should. Some fail on
 * purpose; what they may fail with is known to who runs them.
 */
import type { Path } from '../codec/path.ts';
import type { Editor } from '../record/operations.ts';
import type { Random } from './random.ts';

type Operation = (editor: Editor, random: Random) => unknown;

export const actors = ['ap.1', 'eu.1', 'eu.2', 'us.1', 'é', '\u{1f30d}'] as const;
const names = ['a', 'b', '__proto__', 'constructor', 'x.y', '', 'ünï', 'toString'] as const;
const elements = [
  'a',
  'b',
  1,
  -2,
  1.5,
  2 ** 40,
  true,
  false,
  '__proto__',
  'a long element '.repeat(6),
] as const;
const values = [
  null,
  true,
  'x',
  'text '.repeat(20),
  0,
  -0,
  31,
  32,
  -7,
  1.5,
  2 ** 53,
  -1e300,
  [],
  [1, ['two', { three: 3 }]],
  {},
  JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'),
] as const;
const amounts = [1, 2, 3, 100, 5, 7, 2 ** 31] as const;

const member = (random: Random): Path => ['more', random.pick(names)];
const inner = (random: Random, field: string): Path => ['tree', 'deep', random.pick(names), field];
const counterAt = (random: Random): Path => (random.once(3) ? inner(random, 'count') : 'likes');
const setAt = (random: Random): Path =>
  random.once(3) ? inner(random, 'set') : random.pick(['tags', 'banned']);
const roomAt = (random: Random): Path => (random.once(4) ? inner(random, 'room') : 'stock');

/** What a program with good manners does. */
const polite: readonly [Operation, ...Operation[]] = [
  (editor, random) => editor.set(random.pick(['title', 'status', 'price', 'tree.leaf']), random.pick(values)),
  (editor, random) => editor.set(member(random), random.pick(values)),
  (editor, random) => editor.increment(counterAt(random), random.pick(amounts) * (random.once(3) ? -1 : 1)),
  (editor, random) => editor.add(setAt(random), [random.pick(elements), random.pick(elements)]),
  (editor, random) => editor.remove(setAt(random), [random.pick(elements)]),
  (editor, random) => editor.refill(roomAt(random), random.pick(amounts)),
  (editor, random) => editor.spend(roomAt(random), 1),
  (editor, random) => editor.moveRights(roomAt(random), { to: random.pick(actors), amount: 1 }),
  (editor, random) =>
    random.once(3) &&
    editor.splice('notes', [
      { at: 0, delete: 0, insert: random.pick(['x', 'yz', 'é\u{1f30d}', 'words '.repeat(9)]) },
    ]),
  (editor, random) =>
    editor.clear(random.pick(['title', 'likes', 'stock', 'tags', 'banned', 'notes', 'more', 'tree'])),
  (editor) => editor.put({ title: 1, tags: ['b'], more: { b: 2 }, tree: { leaf: [2] } }),
];

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

/** What only mistakes and attacks do. */
const rude: readonly [Operation, ...Operation[]] = [
  (editor) => editor.set('title', nested(9)),
  (editor) => editor.set('title', 'long'.repeat(2000)),
  (editor, random) =>
    editor.set('title', random.pick([undefined, Number.NaN, 1n, Symbol.iterator, '\ud800', new Date(0)])),
  (editor) => editor.increment('likes', Number.MAX_SAFE_INTEGER),
  (editor) => editor.refill('stock', Number.MAX_SAFE_INTEGER),
  (editor) => editor.spend('stock', Number.MAX_SAFE_INTEGER),
  (editor) => editor.set('__proto__', 1),
  (editor) => editor.increment('title', 1),
  (editor) => editor.set(['more', 'n'.repeat(513)], 1),
  (editor) => editor.set('title\\x', 1),
  (editor) => editor.splice('notes', [{ at: 5000 }]),
  (editor) => editor.put({ likes: 5, unknown: 1 }),
];

/** One to three operations; a delete now and then; a rude one where it is asked for. */
export function operate(editor: Editor, random: Random, isRude: boolean): void {
  for (let count = 1 + random.below(3); count > 0; count--) random.pick(polite)(editor, random);
  if (random.once(10)) editor.delete();
  if (isRude && random.once(3)) random.pick(rude)(editor, random);
}
