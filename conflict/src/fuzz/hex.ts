/** Bytes as hexadecimal digits and back, as they stand in reports and vectors. */
import { ConflictError } from '../errors.ts';

const digits = '0123456789abcdef';

export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += digits.charAt(byte >> 4) + digits.charAt(byte & 15);
  return text;
}

export function bytesOf(hex: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(hex)) {
    throw new ConflictError('invalid-argument', 'pairs of hexadecimal digits are needed', {
      rule: 'hex',
      value: hex,
    });
  }
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) =>
    Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16),
  );
}
