/** What a program knows of a record's shape from its schema alone. */
import { expectTypeOf, test } from 'vitest';
import type { JsonValue } from '../codec/value.ts';
import { boundedCounter, counter, type Fields, map, register, set, text } from '../types/field.ts';
import type { Element } from '../types/set.ts';
import { type ReadResult, type Schema, schema } from './schema.ts';

const Product = schema({
  title: register(),
  status: register({ resolve: 'siblings' }),
  tags: set(),
  banned: set({ bias: 'remove' }),
  likes: counter(),
  stock: boundedCounter({ min: 0 }),
  address: map({ city: register(), visits: counter() }),
  prices: map(map(counter())),
  notes: text(),
});
const nothing: Uint8Array = new Uint8Array(0);

type Value = NonNullable<ReturnType<typeof Product.read>['value']>;

test('a record that does not exist has no value', () => {
  expectTypeOf(Product.read(nothing).value).toEqualTypeOf<Value | null>();
});

test('registers and maps may be absent, counters, sets and texts never are', () => {
  expectTypeOf<Value['title']>().toEqualTypeOf<JsonValue | undefined>();
  expectTypeOf<Value['status']>().toEqualTypeOf<JsonValue | undefined>();
  expectTypeOf<Value['tags']>().toEqualTypeOf<readonly Element[]>();
  expectTypeOf<Value['banned']>().toEqualTypeOf<readonly Element[]>();
  expectTypeOf<Value['likes']>().toEqualTypeOf<number>();
  expectTypeOf<Value['stock']>().toEqualTypeOf<number>();
  expectTypeOf<Value['notes']>().toEqualTypeOf<string>();
});

test('maps are typed member by member', () => {
  expectTypeOf<NonNullable<Value['address']>['city']>().toEqualTypeOf<JsonValue | undefined>();
  expectTypeOf<NonNullable<Value['address']>['visits']>().toEqualTypeOf<number>();
  type Prices = { readonly [member: string]: { readonly [member: string]: number } };
  expectTypeOf<NonNullable<Value['prices']>>().toEqualTypeOf<Prices>();
});

test('only declared fields are there, and nothing is written to what was read', () => {
  expectTypeOf<keyof Value>().toEqualTypeOf<
    'title' | 'status' | 'tags' | 'banned' | 'likes' | 'stock' | 'address' | 'prices' | 'notes'
  >();
  expectTypeOf(Product.read(nothing).value).toEqualTypeOf<Readonly<Value> | null>();
});

test('declarations that come from a file give members of unknown types', () => {
  const loaded: Fields = { title: { type: 'register' } };
  const Loaded = schema(loaded);
  expectTypeOf(Loaded.read(nothing)).toEqualTypeOf<ReadResult>();
  expectTypeOf<NonNullable<ReadResult['value']>>().toEqualTypeOf<{ readonly [name: string]: unknown }>();
});

test('any schema is a Schema', () => {
  expectTypeOf(Product).toExtend<Schema>();
  expectTypeOf(schema({ title: { type: 'register' } }).read(nothing).value).toEqualTypeOf<{
    readonly title?: JsonValue;
  } | null>();
});
