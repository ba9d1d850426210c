/** Results that lie in one slab are no danger to the library, whatever is done with their buffer. */
import { expect, test } from 'vitest';
import { merge, register, schema } from '../index.ts';

const type = schema({ title: register() });
const nothing: Uint8Array = new Uint8Array(0);
const edited = (actor: string) => type.edit(nothing, { actor, now: 1 }, (e) => e.set('title', actor)).state;

test('a slab that was handed to another thread is followed by another', () => {
  const [mine, theirs] = [edited('eu').slice(), edited('us').slice()];
  const given = edited('eu');
  const { buffer } = given;
  if (!(buffer instanceof ArrayBuffer)) expect.fail('a slab is an ArrayBuffer');
  structuredClone(given, { transfer: [buffer] });
  expect(given.length).toBe(0);
  expect(type.read(edited('ap')).value).toEqual({ title: 'ap' });
  expect(type.read(merge(mine, theirs).state).value).toEqual({ title: 'us' });
});
