import { expect, it } from 'vitest';
import { crc32c, newSystemIdentifier } from './postgres-control-file.ts';

it('computes the CRC32C of the published check value', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
});

it('makes identifiers that begin with the time and differ', () => {
  const ids = Array.from({ length: 100 }, () => newSystemIdentifier(1_700_000_000_000));
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) expect(id >> 32n).toBe(1_700_000_000n);
});
