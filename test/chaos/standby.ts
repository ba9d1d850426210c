/**
 * A standby of a region's database that holds every commit before it is acknowledged, and takes its place: at the same
 * address, with all that was acknowledged, on another timeline, and without the slots that were not kept there.
 */
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { assert } from '@isthmus/replication/errors';
import { Client } from 'pg';
import { query } from '../contract/fresh-database.ts';
import { until } from '../until.ts';

const deadlineMs = 60_000;
const name = 'standby';
const run = promisify(execFile);

export interface StandbyOptions {
  readonly primary: Postgres;
  /** That the primary keeps its data in. */
  readonly beside: string;
  readonly keepIn: string;
}

export interface Standby {
  /** Of the standby's own place. */
  readonly server: Postgres;
  /** The primary must have ended. Resolves when the standby serves in its place. */
  readonly takeOver: () => Promise<void>;
}

export async function startStandby(options: StandbyOptions): Promise<Standby> {
  const { primary, beside, keepIn } = options;
  await copyLiving(options);
  const { hostname, port, username, password } = new URL(primary.url);
  const conninfo = `host=${hostname} port=${port} user=${username} password=${password} application_name=${name}`;
  const settings = { primary_conninfo: conninfo, primary_slot_name: name, hot_standby: 'on' };
  const server = await startPostgres({ keepIn, settings });
  await query(primary.url, `ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await query(primary.url, 'SELECT pg_reload_conf()');
  await until('the standby holds what is acknowledged', deadlineMs, async () => {
    const sql = 'SELECT sync_state FROM pg_stat_replication WHERE application_name = $1';
    const [found] = await query(primary.url, sql, [name]);
    return found?.['sync_state'] === 'sync';
  });
  return {
    server,
    takeOver: async () => {
      assert(!primary.isRunning(), 'two databases would have one identity');
      await query(server.url, 'SELECT pg_promote(true, 60)');
      await server.kill('SIGINT');
      await until('the standby has left its own place', deadlineMs, () => !server.isRunning());
      const data = join(beside, 'data');
      await removeSegment(data);
      renameSync(data, join(beside, 'data-of-the-former'));
      renameSync(join(keepIn, 'data'), data);
      await primary.restart();
    },
  };
}

/** As a base backup does; the log of the writes meanwhile comes by the slot. */
async function copyLiving({ primary, beside, keepIn }: StandbyOptions): Promise<void> {
  const client = new Client({ connectionString: primary.url });
  await client.connect();
  try {
    await client.query('SELECT pg_create_physical_replication_slot($1, true)', [name]);
    await client.query('SELECT pg_backup_start($1, true)', [name]);
    await run('mkdir', [keepIn]);
    await copyFolder(join(beside, 'data'), join(keepIn, 'data'));
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    const data = join(keepIn, 'data');
    // In place of a file that belongs to the user that the server runs as, and which it takes away.
    renameSync(join(data, 'postmaster.opts'), join(data, 'backup_label'));
    writeFileSync(join(data, 'backup_label'), rows[0]?.labelfile ?? '');
    renameSync(join(data, 'postmaster.pid'), join(data, 'standby.signal'));
    cpSync(join(beside, 'password'), join(keepIn, 'password'));
    for (const slot of readdirSync(join(data, 'pg_replslot')))
      rmSync(join(data, 'pg_replslot', slot), { recursive: true });
    for (const file of readdirSync(join(data, 'pg_wal')))
      if (statSync(join(data, 'pg_wal', file)).isFile()) rmSync(join(data, 'pg_wal', file));
  } finally {
    await client.end();
  }
}

/** Files that go while they are copied are not missed. */
async function copyFolder(from: string, to: string): Promise<void> {
  try {
    await run('cp', ['-a', from, to]);
  } catch (reason) {
    const said = reason instanceof Error && 'stderr' in reason ? String(reason.stderr) : '';
    const lines = said.split('\n').filter((line) => line !== '');
    if (lines.length === 0 || !lines.every((line) => line.includes('No such file'))) throw reason;
  }
}

/** A killed server leaves its small segment of shared memory, named in the seventh line. */
async function removeSegment(data: string): Promise<void> {
  const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  await run('ipcrm', ['-m', lines[6]?.trim().split(/\s+/)[1] ?? '']);
}
