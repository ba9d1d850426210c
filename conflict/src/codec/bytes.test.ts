/** What is no bytes is refused by name, and nothing that was handed out before or after changes by it. */
import { expect, test } from 'vitest';
import { inspect, merge, open, register, schema, seal, validate, version } from '../index.ts';

const type = schema({ title: register() });
const nothing = new Uint8Array(0);

test.each([[null], [undefined], [{}], [[]], ['text'], [new ArrayBuffer(8)], [new Uint16Array(4)], [3]])(
  '%o is refused',
  (value) => {
    const given: Uint8Array = Object(value) === value ? value : JSON.parse(JSON.stringify(value ?? null));
    const calls = [
      () => seal(given),
      () => open(given),
      () => merge(given, nothing),
      () => merge(nothing, given),
      () => type.read(given),
      () => type.edit(given, { actor: 'a', now: 1 }, (e) => e.set('title', 1)),
      () => inspect(given),
      () => validate(given),
      () => version(given),
    ];
    for (const call of calls) {
      expect(call).toThrow(expect.objectContaining({ name: 'ConflictError', code: 'invalid-argument' }));
    }
    const first = type.edit(nothing, { actor: 'a', now: 1 }, (e) => e.set('title', 'first')).state;
    type.edit(nothing, { actor: 'a', now: 1 }, (e) => e.set('title', 'other'));
    expect(type.read(first).value).toEqual({ title: 'first' });
  },
);

test('a Buffer is bytes', () => {
  const sealed = Buffer.from(seal(Buffer.from('content')));
  expect(Buffer.from(open(sealed)).toString()).toBe('content');
});
