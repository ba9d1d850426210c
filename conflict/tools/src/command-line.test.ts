/** Commands end before they run anything where they are not understood: status 2 and one line; help is no fault. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { numberOf, readOptions } from './command-line.ts';

class Ended extends RangeError {
  readonly status: unknown;

  constructor(status: unknown) {
    super('the process ended');
    this.status = status;
  }
}

const before = process.argv;
let printed: string[];

beforeEach(() => {
  printed = [];
  const print = (text: unknown) => printed.push(String(text)) > 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(print);
  vi.spyOn(process.stderr, 'write').mockImplementation(print);
  vi.spyOn(process, 'exit').mockImplementation((status) => {
    throw new Ended(status);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.argv = before;
});

function call(...given: readonly string[]): unknown {
  process.argv = ['node', 'command', ...given];
  try {
    const { steps } = readOptions('command [--steps N]', { steps: { type: 'string' } });
    return numberOf('steps', steps ?? '7', 1);
  } catch (error) {
    if (error instanceof Ended) return { status: error.status, printed: printed.join('') };
    throw error;
  }
}

test('options that are understood are read', () => {
  expect(call()).toBe(7);
  expect(call('--steps', '12')).toBe(12);
});

test.each(['--help', '-h'])('%s prints the usage and ends well', (option) => {
  expect(call(option)).toEqual({ status: 0, printed: 'usage: command [--steps N]\n' });
});

test.each([
  ['--steps', '0'],
  ['--steps', '-1'],
  ['--steps', '1.5'],
  ['--steps', ''],
  ['--steps', 'many'],
  ['--steps'],
  ['--stpes', '1'],
  ['12'],
])('%s %s ends with status 2 and one line', (...given) => {
  expect(call(...given)).toEqual({ status: 2, printed: expect.stringMatching(/^[^\n]+--help[^\n]+\n$/) });
});
