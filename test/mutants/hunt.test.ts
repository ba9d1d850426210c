/** A mutant that cannot run is not one that somebody has noticed. */
import { expect, test } from 'vitest';
import { failedTest, isJudgement } from './hunt.ts';

test('a file that could not be loaded is no test that failed', () => {
  const unloaded =
    ' FAIL  conflict/src/a.test.ts [ conflict/src/a.test.ts ]\nSyntaxError: Unexpected token\n';
  expect(failedTest(unloaded)).toBeNull();
  const both = `${unloaded} FAIL  conflict/src/b.test.ts > a record > is sorted\n`;
  expect(failedTest(both)).toBe('conflict/src/b.test.ts > a record > is sorted');
});

test('an assertion of the engine notices, and a name that is not there does not', () => {
  expect(isJudgement('crash: AssertionFailure: commits grow: 2 before 2')).toBe(true);
  expect(isJudgement('convergence: eu shows 1, us 2')).toBe(true);
  expect(isJudgement('crash: ReferenceError: tail is not defined')).toBe(false);
  expect(isJudgement('crash: TypeError: x is not a function')).toBe(false);
});
