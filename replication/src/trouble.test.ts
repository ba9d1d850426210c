import { expect, test } from 'vitest';
import { ReplicationError } from './errors.ts';
import { Trouble, troubleOf } from './trouble.ts';

const down = new ReplicationError('log-unavailable', 'the log is down', { retriable: true });

function begin() {
  const lines: unknown[] = [];
  const say = (fields: object, line: string): void => void lines.push({ ...fields, line });
  const logger = { debug: say, info: say, warn: say, error: say };
  const trouble = new Trouble({ logger, fails: 'it fails', works: 'it works', fields: { peer: 'us' } });
  return { lines, trouble };
}

test('a failure of any length is two lines, and is shown while it lasts', () => {
  const { lines, trouble } = begin();
  trouble.worked();
  for (let again = 0; again < 100; again++) trouble.failed(down);
  expect(lines).toEqual([{ peer: 'us', err: down, line: 'it fails' }]);
  expect(trouble.failure).toBe(down);
  trouble.worked();
  trouble.worked();
  expect(lines).toHaveLength(2);
  expect(lines[1]).toEqual({ peer: 'us', line: 'it works' });
  expect(trouble.failure).toBeNull();
});

test('a bug is no trouble', () => {
  const { lines, trouble } = begin();
  const bug = new TypeError('not a function');
  expect(() => trouble.failed(bug)).toThrow(bug);
  expect(lines).toEqual([]);
});

test('what fails is told with its reason', () => {
  expect(troubleOf('telling', null, down)).toEqual([
    { part: 'telling', peer: null, detail: 'the log is down' },
  ]);
  expect(troubleOf('telling', null, null)).toEqual([]);
});
