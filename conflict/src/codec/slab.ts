/**
 * Memory for results. An engine takes several hundred nanoseconds for each fresh typed array of a few hundred bytes,
 * which is longer than a whole merge; so small results are cut one after the other from a common slab. A slab is
 * never written twice, so a result never changes once it is handed out. The price is that a result keeps its slab
 * alive and shares `result.buffer`: who transfers a buffer, or keeps one result out of thousands for long, copies it
 * with `result.slice()` first.
 */
const slabBytes = 8192;
const largestShared = 1024;

let slab = new ArrayBuffer(slabBytes);
let used = 0;

/** Zeroed bytes that belong to the caller alone. */
export function allocate(byteCount: number): Uint8Array {
  if (byteCount > largestShared) return new Uint8Array(byteCount);
  if (used + byteCount > slabBytes) {
    slab = new ArrayBuffer(slabBytes);
    used = 0;
  }
  const result = new Uint8Array(slab, used, byteCount);
  used += byteCount;
  return result;
}
