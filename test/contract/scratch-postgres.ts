/**
 * A Postgres that waits for no disk, for tests that strike no server: to make and to drop a database on it takes a quarter
 * of the time. What it holds would not outlive the machine, so it cannot be killed or started anew.
 */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';

export type ScratchPostgres = Pick<Postgres, 'url' | 'port' | 'stop'>;

/** Of a worker, which runs one file after the other: to start one takes longer than most files need it. */
let shared: Promise<ScratchPostgres> | null = null;

/**
 * The one of this worker, which ends with that and not when a file that had it stops it; one of its own where there are
 * settings.
 */
export async function startScratchPostgres(
  settings: Readonly<Record<string, string>> | null = null,
): Promise<ScratchPostgres> {
  if (settings !== null) return start(settings);
  shared ??= start({});
  const { url, port } = await shared;
  return { url, port, stop: () => Promise.resolve() };
}

function start(settings: Readonly<Record<string, string>>): Promise<ScratchPostgres> {
  return startPostgres({ settings: { ...settings, fsync: 'off' } });
}
