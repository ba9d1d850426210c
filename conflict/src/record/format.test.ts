/** The examples of FORMAT.md, byte for byte. */
import { expect, test } from 'vitest';
import { counter, register } from '../types/field.ts';
import { decode } from './decoded-record.ts';
import { merge } from './merge.ts';
import { schema } from './schema.ts';

const type = schema({ title: register(), likes: counter() });
const now = 1_700_000_000_000;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const state = '100102657504000900026c696b6573f8031100017469746c65f6018bcfe56800426869090003fd018bcfe56800';
const delta = '1002026575010002757302001401017469746c65f6018bcfe56800ff000142796f';

test('a record that is created', () => {
  const created = type.edit(new Uint8Array(0), { actor: 'eu', now }, (e) => {
    e.set('title', 'hi');
    e.increment('likes', 3);
  });
  expect(hex(created.state)).toBe(state);
  expect(hex(created.delta)).toBe(state);
});

test('a field that is overwritten', () => {
  const before = Uint8Array.from(Buffer.from(state, 'hex'));
  const edited = type.edit(before, { actor: 'us', now }, (e) => e.set('title', 'yo'));
  expect(hex(edited.delta)).toBe(delta);
  expect(merge(before, Uint8Array.from(Buffer.from(delta, 'hex'))).state).toEqual(edited.state);
  expect(decode(edited.state).entries.map(({ actor, counter: number }) => `${actor} ${number}`)).toEqual([
    'eu 2',
    'us 1',
    'eu 3',
  ]);
});
