/** What an operation is given may be anybody's code; what that throws never leaves the edit bare. */
import { expect, test } from 'vitest';
import { ConflictError } from '../errors.ts';
import { yjsText } from '../text/yjs-text.ts';
import { boundedCounter, map, register, set, text } from '../types/field.ts';
import { schema } from './schema.ts';

type Operations = Readonly<Record<string, (...given: readonly unknown[]) => void>>;

const fields = {
  title: register(),
  stock: boundedCounter(),
  tags: set(),
  notes: text(),
  more: map(register()),
};
const type = schema(fields, { text: yjsText });

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const fault = new RangeError('not for you');
const throwing = new Proxy([], {
  get() {
    throw fault;
  },
});
const getter = (name: string) =>
  Object.defineProperty({}, name, { get: () => throwing[0], enumerable: true });

const calls: readonly (readonly [string, (operations: Operations) => void])[] = [
  ['restore', (e) => e['restore']?.('title', getter('value'))],
  ['moveRights', (e) => e['moveRights']?.('stock', getter('to'))],
  ['put', (e) => e['put']?.(revoked({}))],
  ['put of a getter', (e) => e['put']?.(getter('title'))],
  ['put within', (e) => e['put']?.({ more: revoked({}) })],
  ['add', (e) => e['add']?.('tags', revoked([]))],
  ['add of what throws', (e) => e['add']?.('tags', throwing)],
  ['remove', (e) => e['remove']?.('tags', revoked([]))],
  ['splice', (e) => e['splice']?.('notes', revoked([]))],
  ['splice of what throws', (e) => e['splice']?.('notes', throwing)],
  ['splice of a getter', (e) => e['splice']?.('notes', [getter('at')])],
];

test.each(calls)('what an operation is given may throw: %s', (_, call) => {
  const run = () =>
    type.edit(new Uint8Array(0), { actor: 'eu', now: 1 }, (editor) => {
      // The list has what the interface names; what is given is of the wrong kind on purpose.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      call(editor as object as Operations);
    });
  expect(run).toThrow(ConflictError);
  expect(run).toThrow(expect.objectContaining({ rule: 'readable', cause: expect.any(Error) }));
});

test('a path that claims billions of names is refused at its first hole', () => {
  const path: readonly string[] = Array<string>(2 ** 32 - 1);
  const run = () => type.edit(new Uint8Array(0), { actor: 'eu', now: 1 }, (editor) => editor.set(path, 1));
  expect(run).toThrow(expect.objectContaining({ code: 'invalid-argument', rule: 'path' }));
});
