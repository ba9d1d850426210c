import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import type { SlotHealth } from '../ports/slot-health.ts';
import { judgeSlot, SlotWatch } from './slot-watch.ts';

const gibibyte = 1024 ** 3;
const well: SlotHealth = {
  retainedBytes: 1000,
  walStatus: 'reserved',
  safeBytes: 99_000,
  limitBytes: 100_000,
};
const unlimited = { safeBytes: null, limitBytes: null };

test.each([
  ['ok', {}],
  ['ok', { safeBytes: 50_000 }],
  ['at-risk', { safeBytes: 49_999 }],
  ['at-risk', { walStatus: 'extended' as const, safeBytes: 25_000 }],
  ['critical', { walStatus: 'extended' as const, safeBytes: 24_999 }],
  ['critical', { walStatus: 'unreserved' as const, safeBytes: -5 }],
  ['critical', { walStatus: 'unreserved' as const, safeBytes: null }],
  ['lost', { walStatus: 'lost' as const, retainedBytes: null, safeBytes: null }],
  ['lost', { walStatus: null, retainedBytes: null, safeBytes: null }],
  ['ok', { ...unlimited, retainedBytes: 4 * gibibyte }],
  ['at-risk', { ...unlimited, retainedBytes: 5 * gibibyte }],
  ['critical', { ...unlimited, retainedBytes: 17 * gibibyte }],
])('%s: %o', (level, changes) => {
  expect(judgeSlot({ ...well, ...changes })).toBe(level);
});

test('tells each change of level once, and nothing while the database is away', async () => {
  const timer = new ManualTimer();
  const told: string[] = [];
  const tell = (name: string) => () => void told.push(name);
  let health: SlotHealth | null = well;
  const watch = new SlotWatch({
    timer,
    logger: { debug: () => undefined, info: tell('info'), warn: tell('warn'), error: tell('error') },
    read: async () => {
      if (health === null) throw new ReplicationError('database-unavailable', 'down', { retriable: true });
      return health;
    },
  });
  watch.start();
  for (const next of [well, { ...well, safeBytes: 40_000 }, null, { ...well, safeBytes: 10_000 }, well]) {
    health = next;
    await timer.advance(20_000);
  }
  await watch.stop();
  expect(told).toEqual(['warn', 'error', 'info']);
});
