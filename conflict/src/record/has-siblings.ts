/**
 * Whether anything can be in conflict, asked of a record with every write, so that a store can keep an index of those
 * in which it can. One walk over the bytes, which takes nothing apart and allocates nothing: two values of one register
 * lie side by side in a state, by different actors. It never says no where reading shows siblings. It says yes too
 * often: of bytes that it does not walk, malformed or not, and of siblings that a deletion hides.
 */
import { checkBytes } from '../codec/bytes.ts';
import { formatMajor, formatMinor, tagRegister } from '../codec/format.ts';
import { smallVarint, varintLength } from '../codec/varint.ts';

const version = (formatMajor << 4) | formatMinor;
/** More actors than this do not fit one byte of index. */
const mostActors = 127;

/**
 * Whether a register of `state` may have several values: `false` says that `read` shows no siblings, whatever the
 * schema; `true` that it is worth a look.
 */
export function hasSiblings(state: Uint8Array): boolean {
  checkBytes(state, 'state');
  if (state.length === 0) return false;
  const start = endOfHead(state);
  return start < 0 || hasNeighbours(state, start);
}

/** -1 where the head is not one that is read here. */
function endOfHead(bytes: Uint8Array): number {
  const actorCount = bytes[1] ?? 0;
  if (bytes[0] !== version || actorCount > mostActors) return -1;
  let at = 2;
  for (let actor = 0; actor < actorCount && at >= 0; actor++) at = endOfActor(bytes, at);
  return at;
}

/** A name, the last counter of the first run, how many runs follow, and two integers for each. */
function endOfActor(bytes: Uint8Array, start: number): number {
  const runs = endOfVarint(bytes, start + 1 + (bytes[start] ?? 0));
  if (runs < 0) return -1;
  let at = endOfVarint(bytes, runs);
  for (let left = 2 * smallVarint(bytes, runs); left > 0 && at >= 0; left--) at = endOfVarint(bytes, at);
  return at;
}

/** -1 where there is no small integer. */
function endOfVarint(bytes: Uint8Array, at: number): number {
  const value = smallVarint(bytes, at);
  return value < 0 ? -1 : at + varintLength(value);
}

function hasNeighbours(bytes: Uint8Array, first: number): boolean {
  let lastKey = bytes.length;
  let lastActor = 0;
  for (let start = first; start < bytes.length; ) {
    const size = smallVarint(bytes, start);
    const body = start + varintLength(size);
    const actor = bytes[body] ?? 0xff;
    const counter = smallVarint(bytes, body + 1);
    const end = body + size;
    if (size <= 2 || end > bytes.length || actor >= mostActors || counter < 0) return true;
    const key = body + 1 + varintLength(counter);
    // Of one actor only the latest value counts.
    if (actor !== lastActor && isSameRegister(bytes, lastKey, key)) return true;
    lastKey = key;
    lastActor = actor;
    start = end;
  }
  return false;
}

/** Whether one register is the key at both places, of which `later` is nearer to the end. */
function isSameRegister(bytes: Uint8Array, earlier: number, later: number): boolean {
  const apart = later - earlier;
  let at = earlier;
  while (bytes[at] === bytes[at + apart] && (bytes[at] ?? 0xff) < tagRegister) at++;
  return bytes[at] === tagRegister && bytes[at + apart] === tagRegister;
}
