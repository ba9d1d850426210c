/**
 * Record keys at the edge. A key is 1 to 512 bytes of UTF-8 without control characters, and neither `.` nor `..`,
 * which proxies would resolve away. Keys are compared byte by byte: nothing is trimmed, folded or normalised.
 */
import { Problem } from '../problem.ts';

export const maxKeyBytes = 512;

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

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
  if (!key.isWellFormed() || controlCharacter.test(key))
    throw invalidKey('A key is well-formed Unicode without control characters.', {
      field,
      rule: 'characters',
      limit: null,
      value: null,
    });
  return key;
}

function invalidKey(
  detail: string,
  violation: { field: string; rule: string; limit: unknown; value: unknown },
): Problem {
  return new Problem('invalid-key', detail, { violations: [violation] });
}
