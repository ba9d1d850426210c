import { expect, test } from 'vitest';
import { ReplicationError } from './errors.ts';
import { orNextTurn } from './next-turn.ts';

test('an operating failure is told and leaves the next turn to do it', async () => {
  const failure = new ReplicationError('closed', 'later', { retriable: true });
  const told: unknown[] = [];
  const turns = [() => Promise.reject(failure), () => Promise.resolve()];
  const turn = orNextTurn(
    () => turns.shift()?.() ?? Promise.resolve(),
    (reason) => told.push(reason),
  );
  await turn();
  await turn();
  expect([told, turns]).toEqual([[failure], []]);
});

test('a bug goes on', async () => {
  const turn = orNextTurn(
    () => Promise.reject(new TypeError('a bug')),
    () => expect.fail('no operating failure'),
  );
  await expect(turn()).rejects.toThrow('a bug');
});
