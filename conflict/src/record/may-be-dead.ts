/**
 * A quick look at a state for those who have to look at every one: whether it may be one of a record that does not
 * exist. It walks over the sizes of the entries and reads only the last one: a mark comes after all fields, and only a
 * deletion after it, so a state that ends with a mark is one of a record that exists. Everything else, malformed bytes
 * among it, may be dead; `isDead` says it for certain. Whatever the bytes are, it neither throws nor
 * reads outside them.
 */
import { checkBytes } from '../codec/bytes.ts';
import { tagMark } from '../codec/format.ts';

/** Where the walk stands. Nothing here gives way, so one place serves all. */
let offset = 0;

/** False only where the record exists. Throws `invalid-argument` for what is no `Uint8Array`. */
export function mayBeDead(state: Uint8Array): boolean {
  checkBytes(state, 'state');
  const last = lastEntry(state);
  if (last === -1) return true;
  offset = last;
  for (let number = 0; number < 3; number++) readNumber(state);
  return state[offset] !== tagMark;
}

/** Where the last entry begins; -1 where there is none, or where the bytes do not add up. */
function lastEntry(state: Uint8Array): number {
  offset = 1;
  const actors = readNumber(state);
  for (let actor = 0; actor < actors && offset < state.length; actor++) {
    offset += 1 + (state[offset] ?? 0);
    readNumber(state);
    const runs = readNumber(state);
    for (let number = 0; number < runs * 2 && offset < state.length; number++) readNumber(state);
  }
  let last = -1;
  while (offset < state.length) {
    last = offset;
    const size = readNumber(state);
    offset += size;
  }
  return offset === state.length ? last : -1;
}

/** Beyond the end there are zeros. */
function readNumber(state: Uint8Array): number {
  let value = 0;
  for (let scale = 1; ; scale *= 0x80) {
    const byte = state[offset++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
}
