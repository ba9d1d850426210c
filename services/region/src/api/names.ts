/**
 * Record keys at the edge. A key is 1 to 512 bytes of UTF-8 without control characters, and neither `.` nor `..`,
 * which proxies would resolve away. Keys are compared byte by byte: nothing is trimmed, folded or normalised.
 */
import { maxKeyBytes } from '@isthmus/replication/record-name';
import { Problem } from '../problem.ts';

/** Control characters, and surrogates that stand alone and so have no UTF-8. */
const refusedCharacter = /[\p{Cc}\p{Cs}]/u;

/** Throws `invalid-key`; `field` names where the key stood. */
export function checkKey(key: string, field: string): string {
  const byteLength = Buffer.byteLength(key);
  if (byteLength < 1 || byteLength > maxKeyBytes)
    throw invalidKey(`A key has 1 to ${maxKeyBytes} bytes of UTF-8; this one has ${byteLength}.`, {
      field,
      rule: 'bytes',
      limit: maxKeyBytes,
      value: byteLength,
    });
  if (key === '.' || key === '..')
    throw invalidKey(`The key ${JSON.stringify(key)} is refused, because proxies resolve it away.`, {
      field,
      rule: 'not-a-dot-segment',
      limit: null,
      value: key,
    });
  checkCharacters(key, field);
  return key;
}

/** What every key and every beginning of a key is made of; throws `invalid-key`. */
export function checkCharacters(text: string, field: string): void {
  if (!refusedCharacter.test(text)) return;
  throw invalidKey('A key is well-formed Unicode without control characters.', {
    field,
    rule: 'characters',
    limit: null,
    value: null,
  });
}

function invalidKey(
  detail: string,
  violation: { field: string; rule: string; limit: unknown; value: unknown },
): Problem {
  return new Problem('invalid-key', detail, { violations: [violation] });
}
