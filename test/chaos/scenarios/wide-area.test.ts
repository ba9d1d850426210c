import { expect, test } from 'vitest';
import type { HistoryEvent, Result } from '../../checkers/history.ts';
import { fastestTenthMs } from './wide-area.ts';

const event = (tookMs: number, result: Result = 'ok'): HistoryEvent => ({
  process: 'eu0',
  region: 'eu',
  operation: { kind: 'insert', key: 'k' },
  invokedAtMs: 100,
  completedAtMs: 100 + tookMs,
  result,
  status: 200,
});

test('the fastest tenth shows whether writes wait for a peer, and refused ones do not count', () => {
  const local = Array.from({ length: 100 }, (_, index) => event(5 + index));
  const waiting = local.map((each) => ({ ...each, completedAtMs: each.completedAtMs + 160 }));
  expect(fastestTenthMs([...local, ...Array.from({ length: 50 }, () => event(1, 'fail'))])).toBe(15);
  expect(fastestTenthMs(waiting)).toBe(175);
  expect(fastestTenthMs([event(1, 'info')])).toBe(Infinity);
});
