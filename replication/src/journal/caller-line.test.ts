import { expect, test } from 'vitest';
import { CallerLine } from './caller-line.ts';

interface Caller {
  readonly who: string;
  readonly names: readonly string[];
}

function lineOf(...callers: readonly Caller[]): CallerLine<Caller> {
  const line = new CallerLine<Caller>();
  for (const each of callers) line.join(each);
  return line;
}

function caller(who: string, ...names: readonly string[]): Caller {
  return { who, names };
}

const whoOf = (taken: readonly Caller[]) => taken.map(({ who }) => who).join('');

test('as many as one transaction takes are served together, in order of arrival', () => {
  const many = (who: string, count: number) =>
    caller(who, ...Array.from({ length: count }, (_, index) => `${who}${index}`));
  const line = lineOf(many('a', 300), many('b', 200), many('c', 1));
  expect(line.edits).toBe(501);
  expect(whoOf(line.take())).toBe('ab');
  expect(line.edits).toBe(1);
  expect(whoOf(line.take())).toBe('c');
  expect(whoOf(line.take())).toBe('');
});

test('who touches a record that is held waits, and so does who comes behind for one of theirs', () => {
  const line = lineOf(caller('a', 'x'));
  const first = line.take();
  for (const next of [caller('b', 'x', 'y'), caller('c', 'y'), caller('d', 'z'), caller('e', 'x')])
    line.join(next);
  const second = line.take();
  expect(whoOf(second)).toBe('d');
  line.release(second, []);
  expect(whoOf(line.take())).toBe('');
  line.release(first, []);
  expect(whoOf(line.take())).toBe('bce');
});

test('who was not served comes first again, before those who waited for the same record', () => {
  const line = lineOf(caller('a', 'x'), caller('b', 'y'));
  const first = line.take();
  line.join(caller('c', 'y'));
  line.release(first, first.slice(1));
  expect(line.edits).toBe(2);
  expect(whoOf(line.take())).toBe('bc');
});
