/** Those suites of one demo that see which log it has, over a log in Postgres. */
import { describe } from 'vitest';
import { chooseLogUnderTest } from './log-under-test.ts';
import { shareDemo } from './use-demo.ts';

chooseLogUnderTest('postgres');
shareDemo();
describe('gaps', async () => {
  await import('./gaps.suite.ts');
});
describe('convergence', async () => {
  await import('./convergence.suite.ts');
});
