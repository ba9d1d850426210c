/** Export and re-issue once more, with the log of every region in its own Postgres. */
import { chooseLogUnderTest } from './log-under-test.ts';

chooseLogUnderTest('postgres');
await import('./reissue.test.ts');
