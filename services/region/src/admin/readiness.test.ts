import { ReplicationError } from '@isthmus/replication/errors';
import { expect, it } from 'vitest';
import { Drain } from '../drain.ts';
import { isReady, Readiness } from './readiness.ts';

it('is ready while a database is open and answers, and not while it is opened again as another incarnation', async () => {
  const drain = new Drain();
  let answer: Promise<void> | null = null;
  const readiness = new Readiness({ drain, askDatabase: () => answer, timeoutMs: 1000 });
  const failures = async () => (await readiness.check()).flatMap(({ failure }) => failure ?? []);
  expect(await failures()).toEqual([
    'it has not been reached since the start',
    'the database has not been opened',
  ]);
  readiness.opened();
  expect(await failures()).toEqual(['it is being opened again']);
  answer = Promise.reject(new ReplicationError('database-unavailable', 'no answer', { retriable: true }));
  expect(await failures()).toEqual(['database-unavailable']);
  answer = Promise.resolve();
  expect(isReady(await readiness.check())).toBe(true);
  drain.start();
  expect(await failures()).toEqual(['the process is being stopped']);
});
