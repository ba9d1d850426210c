/** The tests of gaps over a log in Postgres. */
import { chooseLogUnderTest } from './log-under-test.ts';

chooseLogUnderTest('postgres');
await import('./gaps.test.ts');
