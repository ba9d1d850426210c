/**
 * A Postgres that waits for no disk, for tests that strike no server: to make and to drop a database on it takes a quarter
 * of the time. What it holds would not outlive the machine, so it cannot be killed or started anew.
 */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';

export type ScratchPostgres = Pick<Postgres, 'url' | 'port' | 'stop'>;

export function startScratchPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<ScratchPostgres> {
  return startPostgres({ settings: { ...settings, fsync: 'off' } });
}
