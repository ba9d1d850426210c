/** What the log says of changes that are put aside: each partition and cause once a minute, with the number. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { parseRegionId } from '../ports/identity.ts';
import { PutAsideNotes } from './put-aside-notes.ts';

const origin = parseRegionId('eu') ?? expect.fail('eu is a region');
const ahead = (partition: number) => ({ partition, cause: 'clock-too-far-ahead' }) as const;

test('a partition and cause is told of at once, and then once a minute with what came since', async () => {
  const said: Readonly<Record<string, unknown>>[] = [];
  const nothing = (): void => undefined;
  const logger = {
    debug: nothing,
    info: nothing,
    error: nothing,
    warn: (fields: Readonly<Record<string, unknown>>) => void said.push(fields),
  };
  const timer = new ManualTimer();
  const notes = new PutAsideNotes({ origin, timer, logger });
  notes.note([]);
  expect(said).toEqual([]);
  notes.note([ahead(0), ahead(0), ahead(1), { partition: 0, cause: 'malformed' }]);
  expect(said.splice(0)).toEqual([
    { origin, ...ahead(0), count: 2 },
    { origin, ...ahead(1), count: 1 },
    { origin, partition: 0, cause: 'malformed', count: 1 },
  ]);
  for (let second = 0; second < 59; second++) {
    await timer.advance(1000);
    notes.note([ahead(0)]);
  }
  expect(said).toEqual([]);
  await timer.advance(1000);
  notes.note([ahead(0)]);
  expect(said).toEqual([{ origin, ...ahead(0), count: 60 }]);
});
