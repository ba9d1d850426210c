/** Which paths and values the operations of a typed editor take, and that unknown fields take any. */
import { expectTypeOf, test } from 'vitest';
import type { FieldPaths } from '../types/field-path.ts';
import { boundedCounter, counter, type Fields, map, register, set, text } from '../types/field.ts';
import type { Element } from '../types/set.ts';
import type { Editor } from './operations.ts';
import { type ReadResult, type Schema, schema } from './schema.ts';

const Product = schema({
  title: register(),
  status: { type: 'register', resolve: 'siblings' },
  tags: set(),
  likes: counter(),
  stock: boundedCounter({ min: 0 }),
  address: map({ city: register(), visits: counter() }),
  labels: map(register()),
  prices: map(map(counter())),
  notes: text(),
});
const Deep = schema({ a: map({ b: map({ c: map({ d: map({ e: map(map({ f: set() })) }) }) }) }) });

type EditorOf<Type> = Type extends { edit(before: never, context: never, change: infer Change): unknown }
  ? Change extends (editor: infer Given) => void
    ? Given
    : never
  : never;
type ProductEditor = EditorOf<typeof Product>;
type Names = readonly string[];
/** The first argument of an operation. */
type PathOf<Operation extends keyof ProductEditor> = Parameters<ProductEditor[Operation]>[0];

test('each operation takes the paths of fields of its type', () => {
  type Registers = 'title' | 'status' | 'address.city' | `labels.${string}`;
  expectTypeOf<PathOf<'set'>>().toEqualTypeOf<Registers | Names>();
  expectTypeOf<PathOf<'restore'>>().toEqualTypeOf<Registers | Names>();
  type Counters = 'likes' | 'address.visits' | `prices.${string}.${string}`;
  expectTypeOf<PathOf<'increment'>>().toEqualTypeOf<Counters | Names>();
  expectTypeOf<PathOf<'add'>>().toEqualTypeOf<'tags' | Names>();
  expectTypeOf<PathOf<'remove'>>().toEqualTypeOf<'tags' | Names>();
  expectTypeOf<PathOf<'spend'>>().toEqualTypeOf<'stock' | Names>();
  expectTypeOf<PathOf<'refill'>>().toEqualTypeOf<'stock' | Names>();
  expectTypeOf<PathOf<'moveRights'>>().toEqualTypeOf<'stock' | Names>();
  expectTypeOf<PathOf<'splice'>>().toEqualTypeOf<'notes' | Names>();
});

test('a misspelt name, a field of another type and a map are no paths', () => {
  expectTypeOf<'titel'>().not.toExtend<PathOf<'set'>>();
  expectTypeOf<'title'>().not.toExtend<PathOf<'increment'>>();
  expectTypeOf<'address'>().not.toExtend<PathOf<'set'>>();
  expectTypeOf<'address.street'>().not.toExtend<PathOf<'set'>>();
  expectTypeOf<'prices.eu'>().not.toExtend<PathOf<'increment'>>();
  expectTypeOf<string>().not.toExtend<PathOf<'set'>>();
  expectTypeOf<'labels.any name'>().toExtend<PathOf<'set'>>();
});

test('everything is cleared, maps and their members too', () => {
  for (const path of ['title', 'address', 'address.city', 'labels', 'labels.x', 'prices.x.y'] as const) {
    expectTypeOf(path).toExtend<PathOf<'clear'>>();
  }
  expectTypeOf<'addres'>().not.toExtend<PathOf<'clear'>>();
});

test('elements and put are typed', () => {
  expectTypeOf<Parameters<ProductEditor['add']>[1]>().toEqualTypeOf<readonly Element[]>();
  type Input = Parameters<ProductEditor['put']>[0];
  expectTypeOf<NonNullable<ReturnType<typeof Product.read>['value']>>().toExtend<Input>();
  expectTypeOf<{ title: Date }>().toExtend<Input>();
  expectTypeOf<keyof Input>().toEqualTypeOf<
    'title' | 'status' | 'tags' | 'likes' | 'stock' | 'address' | 'labels' | 'prices' | 'notes'
  >();
  expectTypeOf<{ tags: readonly [{ a: 1 }] }>().not.toExtend<Input>();
  expectTypeOf<{ address: { visits: string } }>().not.toExtend<Input>();
  expectTypeOf<{ prices: { eu: { lamp: string } } }>().not.toExtend<Input>();
});

test('maps in maps are followed', () => {
  type Paths = Parameters<EditorOf<typeof Deep>['add']>[0];
  expectTypeOf<Paths>().toEqualTypeOf<`a.b.c.d.e.${string}.f` | Names>();
});

test('declarations that contain themselves, or more levels than are followed, end as any text', () => {
  interface Tree {
    readonly type: 'map';
    readonly of: Tree;
  }
  type Trees = FieldPaths<{ readonly tree: Tree; readonly title: { readonly type: 'register' } }>;
  expectTypeOf<'tree.a.b.c.d.e.f.g.h.i'>().toExtend<Trees['register']>();
  expectTypeOf<'tre'>().not.toExtend<Trees['register']>();
});

test('a reading lists paths that the editor takes', () => {
  const { conflicts, exposed } = Product.read(new Uint8Array(0));
  expectTypeOf(conflicts).toExtend<readonly PathOf<'restore'>[]>();
  expectTypeOf(exposed).toExtend<readonly PathOf<'restore'>[]>();
  expectTypeOf<ReadResult['conflicts']>().toEqualTypeOf<readonly string[]>();
});

test('fields that are known only when the program runs take any path and any value', () => {
  expectTypeOf<Parameters<Editor['set']>[0]>().toEqualTypeOf<string | Names>();
  expectTypeOf<Parameters<Editor['clear']>[0]>().toEqualTypeOf<string | Names>();
  expectTypeOf<Parameters<Editor['add']>[1]>().toEqualTypeOf<readonly unknown[]>();
  expectTypeOf<Parameters<Editor['put']>[0]>().toBeUnknown();
  type Loaded = FieldPaths<{ readonly known: { readonly type: 'map'; readonly fields: Fields } }>;
  expectTypeOf<Loaded['register']>().toEqualTypeOf<`known.${string}` | Names>();
});

test('what is written for any schema and any editor takes a typed one', () => {
  expectTypeOf(Product).toExtend<Schema>();
  expectTypeOf(Deep).toExtend<Schema>();
  expectTypeOf<ProductEditor>().toExtend<Editor>();
  expectTypeOf<Editor<typeof Product.fields>>().toEqualTypeOf<ProductEditor>();
  const change = (editor: Editor) => editor.set(['title'], 'Lamp');
  expectTypeOf(change).toExtend<Parameters<typeof Product.edit>[2]>();
});
