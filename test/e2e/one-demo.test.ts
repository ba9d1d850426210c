/**
 * Suites that leave all they strike whole, one after the other on one demo: to start one takes longer than most of what
 * they do with it. Each has keys of its own. Gaps come first, which are counted from the start of a region.
 */
import { describe } from 'vitest';
import { shareDemo } from './use-demo.ts';

shareDemo();
describe('gaps', async () => {
  await import('./gaps.suite.ts');
});
describe('convergence', async () => {
  await import('./convergence.suite.ts');
});
describe('types', async () => {
  await import('./types.suite.ts');
});
describe('the scenarios of peers', async () => {
  await import('./peers-scenarios.suite.ts');
});
describe('sessions', async () => {
  await import('./sessions.suite.ts');
});
describe('clocks', async () => {
  await import('./clocks.suite.ts');
});
describe('conflicts', async () => {
  await import('./conflicts.suite.ts');
});
