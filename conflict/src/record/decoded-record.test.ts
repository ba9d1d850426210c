import { expect, test } from 'vitest';
import { counter } from '../types/field.ts';
import { schema } from './schema.ts';
import { validate } from './validate.ts';

test('bytes above 64 MiB are refused before anything is made of them', () => {
  const limit = 2 ** 26;
  const bytes = new Uint8Array(limit + 1);
  bytes[0] = 0x10;
  const refusal = expect.objectContaining({
    code: 'too-large',
    rule: 'state-bytes',
    limit,
    value: limit + 1,
  });
  expect(() => schema({ likes: counter() }).read(bytes)).toThrow(refusal);
  expect(() => validate(bytes)).toThrow(refusal);
});
