import { parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { RefusedRecords } from './refused-records.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const forged = { region: us, topic: 'changes', partition: 3, offset: 7n, fault: 'bad-signature' } as const;

test('what is refused is counted each time, and told of once in a while with its number', () => {
  const told: (readonly [object, string])[] = [];
  const counted: unknown[] = [];
  let nowMs = Date.parse('2026-01-02T03:04:05Z');
  const quiet = () => undefined;
  const error = (fields: object, message: string) => void told.push([fields, message]);
  const refused = new RefusedRecords({
    logger: { debug: quiet, info: quiet, warn: quiet, error },
    nowMs: () => nowMs,
    onRefused: (record) => void counted.push(record),
  });
  for (let at = 0; at < 100; at++) refused.note(forged);
  refused.note({ ...forged, topic: 'control', offset: null });
  expect(counted).toHaveLength(101);
  expect(told.map(([fields]) => fields)).toMatchObject([
    { origin: us, topic: 'changes', partition: 3, offset: '7', cause: 'bad-signature', count: 1 },
    { topic: 'control', offset: null, count: 1 },
  ]);
  nowMs += 10_000;
  refused.note(forged);
  expect(told.at(-1)?.[0]).toMatchObject({ topic: 'changes', count: 101 });
  expect(refused.view).toEqual([
    {
      region: us,
      topic: 'changes',
      cause: 'bad-signature',
      count: 101,
      lastAt: '2026-01-02T03:04:15.000Z',
    },
    { region: us, topic: 'control', cause: 'bad-signature', count: 1, lastAt: '2026-01-02T03:04:05.000Z' },
  ]);
});
