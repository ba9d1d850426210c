/** Suites about three regions, one after the other on one demo; the last one leaves a region dead. */
import { describe } from 'vitest';
import { chooseLogUnderTest } from './log-under-test.ts';
import { shareDemo } from './use-demo.ts';

chooseLogUnderTest('postgres');
shareDemo(['--regions', 'eu,us,ap']);
describe('a session and a transfer', async () => {
  await import('./sessions-transfer.suite.ts');
});
describe('stranded rights', async () => {
  await import('./stranded-rights.suite.ts');
});
