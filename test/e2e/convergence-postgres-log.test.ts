/** The tests of convergence over a log in Postgres. */
import { chooseLogUnderTest } from './log-under-test.ts';

chooseLogUnderTest('postgres');
await import('./convergence.suite.ts');
