import { expect, test } from 'vitest';
import { readOptions } from './options.ts';

test('what is not given has its default, and the seed is the fresh one', () => {
  expect(readOptions([], 42)).toEqual({
    minutes: 60,
    ratePerS: 200,
    seed: 42,
    log: 'kafka',
    hasFaults: true,
    jsonFile: null,
    summaryFile: null,
  });
});

test.each([
  [['--minutes', '0'], '--minutes takes a whole number from 1 to 1440; not "0"'],
  [['--minutes', '1441'], '--minutes takes a whole number from 1 to 1440; not "1441"'],
  [['--rate', '1e3'], '--rate takes a whole number from 1 to 5000; not "1e3"'],
  [['--log', 'file'], '--log takes kafka or postgres; not "file"'],
  [['--hours', '1'], "Unknown option '--hours'"],
])('%j is wrong usage that says what is taken', (args, message) => {
  expect(() => readOptions(args, 1)).toThrow(message);
});
