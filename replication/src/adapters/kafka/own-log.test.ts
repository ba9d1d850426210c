import { expect, test } from 'vitest';
import { newestIn } from './own-log.ts';
import type { Fetched } from './topic-reader.ts';

const mebibyte = 1024 * 1024;

/** A log of as many records of a MiB, one of which says `true`. */
function reading(count: number, at: number) {
  let mostBytes = 0;
  const fetch = async (
    _leader: number,
    [wanted]: readonly { readonly offset: bigint }[],
  ): Promise<Fetched> => {
    mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers);
    const offset = wanted?.offset ?? 0n;
    const bytes = Buffer.from(new ArrayBuffer(mebibyte));
    bytes.write(offset === BigInt(at) ? 'true' : 'junk');
    const found = { partition: 0, next: offset + 1n, records: [{ offset, bytes }], stampedMs: 0 };
    return { kind: 'records', partitions: offset < BigInt(count) ? [found] : [], failed: [] };
  };
  return { reader: { fetch }, mostBytes: () => mostBytes };
}

const counts = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(0, 4)).toString() === 'true';

test('a look back keeps nothing of what does not count, however much there is (I12)', async () => {
  const before = process.memoryUsage().arrayBuffers;
  const { reader, mostBytes } = reading(1500, 3);
  const newest = await newestIn({ reader, leader: 1, from: 0n, until: 1500n }, counts);
  expect(newest === null ? null : counts(newest)).toBe(true);
  expect(mostBytes() - before).toBeLessThan(700 * mebibyte);
});

test('it looks at nothing from its end on, and finds nothing where nothing counts', async () => {
  const { reader } = reading(10, 7);
  expect(await newestIn({ reader, leader: 1, from: 0n, until: 7n }, counts)).toBeNull();
  expect(await newestIn({ reader, leader: 1, from: 2n, until: 8n }, counts)).not.toBeNull();
  expect(await newestIn({ reader, leader: 1, from: 0n, until: 20n }, counts)).not.toBeNull();
});
