/**
 * One long history of edits and merges over every type but text, decided by a seed, and everything that comes of it
 * as lines of text: bytes in hexadecimal, readings as JSON, versions, hashes. It uses nothing but the language and
 * the package, so wherever it runs its lines have to be the same.
 */
import {
  boundedCounter,
  ConflictError,
  counter,
  type Editor,
  inspect,
  liveHash,
  map,
  merge,
  register,
  schema,
  seal,
  set,
  validate,
  version,
} from '@isthmus/conflict';

const fields = {
  title: register(),
  status: register({ resolve: 'siblings' }),
  tags: set(),
  banned: set({ bias: 'remove' }),
  likes: counter(),
  stock: boundedCounter({ min: 2 }),
  address: map({ city: register(), zip: register() }),
  notes: map(register()),
} as const;
const types = [schema(fields), schema(fields, { deletes: 'last-writer-wins' })] as const;
const actors = ['eu.1', 'us.7', 'größe'] as const;
const steps = 400;
const words = ['', 'a', 'Zürich', '𝒳', '__proto__', 'constructor', 'a.b\\c', '\uffff'] as const;

export function linesOf(seed: number): readonly string[] {
  return types.flatMap((type) => history(type, randomOf(seed)));
}

/** The joins of pairs of states, both in hexadecimal, in either order. */
export function joinsOf(pairs: readonly { readonly a: string; readonly b: string }[]): readonly string[] {
  return pairs.flatMap(({ a, b }) => {
    const [first, second] = [bytesOf(a), bytesOf(b)];
    return [hex(merge(first, second).state), hex(merge(second, first).state)];
  });
}

type Random = (below: number) => number;

function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function history(type: (typeof types)[number], random: Random): readonly string[] {
  const lines: string[] = [];
  const states: Uint8Array[] = actors.map(() => new Uint8Array(0));
  const deltas: Uint8Array[] = [];
  for (let step = 0; step < steps; step += 1) {
    const at = random(actors.length);
    const state = states[at] ?? new Uint8Array(0);
    const delta = deltas[random(deltas.length)];
    if (random(2) === 0 && delta !== undefined) {
      const merged = merge(state, delta);
      states[at] = Uint8Array.from(merged.state);
      lines.push(`${step} merged ${merged.changed} ${merged.conflicts.join('|')} ${hex(merged.state)}`);
      continue;
    }
    const context = { actor: actors[at] ?? '', now: 1_700_000_000_000 + random(5) };
    try {
      const edited = type.edit(state, context, (editor) => change(editor, random));
      states[at] = Uint8Array.from(edited.state);
      deltas.push(Uint8Array.from(edited.delta));
      lines.push(`${step} edited ${hex(edited.delta)}`);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      lines.push(`${step} ${error.code} ${error.message}`);
    }
  }
  const all = states.reduce((joined, state) => merge(joined, state).state);
  validate(all);
  const { value, siblings, conflicts, updatedAt } = type.read(all);
  lines.push(JSON.stringify({ value, siblings, conflicts, updatedAt }), JSON.stringify(inspect(all)));
  return [...lines, version(all), hex(liveHash(all, 'name')), hex(seal(all))];
}

function change(editor: Editor, random: Random): void {
  const word = () => words[random(words.length)] ?? '';
  const values = [null, true, -0, 0.1, 2 ** 53, -17, word(), [word(), 1], { [word()]: word(), b: [] }];
  const operations: readonly (() => void)[] = [
    () => editor.set('title', values[random(values.length)]),
    () => editor.set('status', word()),
    () => editor.add('tags', [word(), random(3)]),
    () => editor.remove('tags', [word(), random(3)]),
    () => editor.add('banned', [random(2) === 0]),
    () => editor.remove('banned', [random(2) === 0]),
    () => editor.increment('likes', random(200) - 100),
    () => editor.refill('stock', random(9)),
    () => editor.spend('stock', random(5)),
    () => editor.moveRights('stock', { to: actors[random(actors.length)] ?? '', amount: random(3) }),
    () => editor.set('address.city', word()),
    () => editor.set(['notes', word() === '' ? 'x' : word()], word()),
    () => editor.clear(['title', 'address', 'likes', 'stock', 'tags'][random(5)] ?? 'title'),
    () => (random(6) === 0 ? editor.delete() : editor.set('address.zip', word())),
  ];
  for (let count = 1 + random(3); count > 0; count -= 1) operations[random(operations.length)]?.();
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
