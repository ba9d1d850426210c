import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fromStored, toStored } from './record-bytes.ts';

test.each([0, 1_023, 1_024, 15_000, 200_000])(
  '%i repetitive bytes come back, and large ones are stored small',
  async (size) => {
    const bytes = Buffer.alloc(size, 'isthmus/changes ');
    const stored = await toStored(bytes);
    expect(stored.compressed).toBe(size >= 1_024);
    if (stored.compressed) expect(stored.bytes.length).toBeLessThan(size / 4);
    expect(Buffer.compare(await fromStored(stored), bytes)).toBe(0);
  },
);

test('what compression does not shrink is stored as it is', async () => {
  const bytes = randomBytes(5_000);
  expect(await toStored(bytes)).toEqual({ compressed: false, bytes });
});

test('a bomb and a broken record come out as they were stored, for their reader to refuse', async () => {
  const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
  // A first block of the kind that is reserved (RFC 1951, section 3.2.3); random bytes alone are whole now and then.
  const broken = (size: number) => Buffer.concat([Buffer.of(0x07), randomBytes(size)]);
  for (const bytes of [bomb, broken(100), broken(50_000)])
    expect(await fromStored({ compressed: true, bytes })).toBe(bytes);
});
