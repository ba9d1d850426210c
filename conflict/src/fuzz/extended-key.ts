/**
 * The key of an entry whose tag this version does not know, as a binary string. Nothing here writes such entries, so
 * only what plays a newer version makes their keys.
 */
import { tagExtended, traitSub } from '../codec/format.ts';

export function extendedKey({ path, tag, sub }: { path: string; tag: number; sub: string }): string {
  const rest = (tag & traitSub) === 0 ? '' : String.fromCharCode(sub.length) + sub;
  return path + String.fromCharCode(tagExtended, tag & 0xff) + rest;
}
