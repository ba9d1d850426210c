/**
 * Memory for results. An engine takes several hundred nanoseconds for each fresh typed array of a few hundred bytes,
 * which is longer than a whole merge; so small results are cut one after the other from a common slab. A slab is
 * never written twice, so a result never changes once it is handed out. The price is that a result keeps its slab
 * alive and shares `result.buffer`: who transfers a buffer, or keeps one result out of thousands for long, copies it
 * with `result.slice()` first.
 */

const slabBytes = 32_768;
const largestShared = 1024;

// The buffer is kept beside its view, because asking a view for it leaves compiled code.
let buffer = new ArrayBuffer(slabBytes);
let slab = new Uint8Array(buffer);
let used = 0;

/** The bytes that were reserved last: the array, and where in it they begin. */
export let reservedRoom = slab;
export let reservedStart = 0;

/**
 * Room for a result: an array in which the `byteCount` bytes from `reservedStart` are nobody else's. Nothing else may
 * be reserved or allocated until `commit`; who reserves again without it gives the first room back.
 */
export function reserve(byteCount: number): Uint8Array {
  reservedStart = 0;
  if (byteCount > largestShared) return (reservedRoom = new Uint8Array(byteCount));
  // A slab that a caller handed to another thread has no bytes any more.
  if (used + byteCount > slab.length) {
    buffer = new ArrayBuffer(slabBytes);
    slab = new Uint8Array(buffer);
    used = 0;
  }
  reservedStart = used;
  reservedRoom = slab;
  return slab;
}

/** Reserves room for `bytes`, which are copied into it, and for so many more. */
export function reserveCopy(bytes: Uint8Array, more: number): void {
  reserve(bytes.length + more).set(bytes, reservedStart);
}

/** The first `byteCount` bytes of what was reserved in `room`, as a result. */
export function commit(room: Uint8Array, byteCount: number): Uint8Array {
  if (room !== slab) return byteCount === room.length ? room : room.slice(0, byteCount);
  const result = new Uint8Array(buffer, used, byteCount);
  used += byteCount;
  return result;
}

/** Bytes that belong to the caller alone. */
export function allocate(byteCount: number): Uint8Array {
  return commit(reserve(byteCount), byteCount);
}

/** The same bytes once more. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = allocate(bytes.length);
  copy.set(bytes);
  return copy;
}
