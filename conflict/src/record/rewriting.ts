/**
 * A state that is written anew with some pieces of it replaced, from front to back. The state is copied once, to where
 * it belongs if nothing changes its length; what lies behind a replaced piece is moved when something longer is to be
 * written there, and what is kept is not touched otherwise. There is one at a time: each runs from `beginRewriting` to
 * `finishRewriting` without giving way, and one that is given up leaves nothing behind. It counts nothing: who begins it
 * says how much will be inserted, and keeps to that.
 */
import { commit, reserveCopy, reservedRoom, reservedStart } from '../codec/slab.ts';
import { writeVarint } from '../codec/varint.ts';

/** Where the result begins in the room. */
let room = reservedRoom;
let base = 0;
/** What of the state is still to be moved begins at `from` and ends at `last`; it lies `shift` further and goes to `to`. */
let shift = 0;
let from = 0;
let last = 0;
let to = 0;

/** Begins to rewrite `state`, into which at most `more` bytes are to be inserted. */
export function beginRewriting(state: Uint8Array, more: number): void {
  reserveCopy(state, more);
  room = reservedRoom;
  base = reservedStart;
  shift = base;
  to = base;
  from = 0;
  last = state.length;
}

/** Keeps the state's bytes up to `end`, which may be kept or dropped already. */
export function keepUpTo(end: number): void {
  if (end <= from) return;
  if (to < shift + from) room.copyWithin(to, shift + from, shift + end);
  to += end - from;
  from = end;
}

/** Drops the state's bytes up to `end`. */
export function dropUpTo(end: number): void {
  from = end;
}

/** Changes the byte that lies so many bytes before the end of what was kept and inserted. */
export function change(back: number, byte: number): void {
  room[to - back] = byte;
}

/** Changes the second byte of the result. */
export function changeCount(count: number): void {
  room[base + 1] = count;
}

/** Inserts bytes `start` to `end` of `bytes`, of which those behind may follow. */
export function insert(bytes: Uint8Array, start: number, end: number): void {
  makeRoom(end - start, bytes.length - end);
  const by = to - start;
  const target = room;
  if (end - start > 64) target.set(bytes.subarray(start, end), to);
  else for (let offset = start; offset < end; offset++) target[offset + by] = bytes[offset] ?? 0;
  to += end - start;
}

/** Inserts an integer, for which there has to be room. */
export function insertVarint(value: number): void {
  to = writeVarint(room, to, value);
}

/**
 * Lets `byteCount` bytes be inserted without touching what of the state is still to be moved. So many more get their
 * room with them if there is none, so that nothing is moved out of the way twice.
 */
export function makeRoom(byteCount: number, more: number): void {
  const missing = to + byteCount - shift - from;
  if (missing <= 0) return;
  const by = missing + more;
  room.copyWithin(shift + from + by, shift + from, shift + last);
  shift += by;
}

/** All that was kept and inserted, and the rest of the state. */
export function finishRewriting(): Uint8Array {
  keepUpTo(last);
  return commit(room, to - base);
}
