/** One identity once more, with the log of every region in its own Postgres: there the peers testify. */
import { chooseLogUnderTest } from './log-under-test.ts';

chooseLogUnderTest('postgres');
await import('./identity.test.ts');
