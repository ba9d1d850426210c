/** The tests of crashes over a log in Postgres. */
import { chooseLogUnderTest } from './log-under-test.ts';

chooseLogUnderTest('postgres');
await import('./crashes.test.ts');
