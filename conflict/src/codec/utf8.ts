/**
 * Text to UTF-8 and back, with what the language itself has had from its first days: `encodeURIComponent` writes UTF-8,
 * and `unescape` makes its bytes characters. Besides bytes there is the *binary string*: a string
 * whose characters are the bytes of the UTF-8 form. Comparing two binary strings with `<` compares their bytes, so
 * they serve as map keys and sort keys wherever speed is not measured. A lone surrogate has no UTF-8 form; encoding
 * answers `null` for it and never replaces it. Decoding accepts only the shortest form of each code point and refuses
 * everything else, so equal texts always have equal bytes.
 */

import { malformed } from './byte-reader.ts';

/** The UTF-8 form as a binary string, or `null` where the text holds a lone surrogate. */
export function binaryOf(text: string): string | null {
  if (isAscii(text)) return text;
  try {
    return unescape(encodeURIComponent(text));
  } catch {
    return null;
  }
}

/** The text of a binary string; throws `malformed` where it is not the shortest UTF-8 form of a text. */
export function textOf(binary: string): string {
  if (isAscii(binary)) return binary;
  try {
    return decodeURIComponent(escape(binary));
  } catch {
    throw malformed();
  }
}

/** Most texts are short, and the smallest machine for a pattern takes longer than they do. */
function isAscii(text: string): boolean {
  let at = 0;
  while (text.charCodeAt(at) < 0x80) at++;
  return at === text.length;
}
