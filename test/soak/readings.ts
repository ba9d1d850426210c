/**
 * What the servers of one region hold at one moment. A server that a fault has taken away gives no reading; that is a
 * gap in the curve and never a zero.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readResidentMb } from '@isthmus/loadtest/machine/proc';
import pg from 'pg';

const queryMs = 3_000;
const mebibyte = 1024 * 1024;

export interface Measure {
  readonly title: string;
  readonly unit: string;
  /** Less than this is no growth. */
  readonly least: number;
  /** `added`: it is kept for longer than a soak lasts, and judged by what each minute adds. */
  readonly judgedBy: 'held' | 'added';
}

const held = 'held';
export const measures = {
  regionMb: { title: 'Resident memory of the region process', unit: 'MiB', least: 2, judgedBy: held },
  regionHandles: { title: 'Open handles of the region process', unit: 'handles', least: 2, judgedBy: held },
  kafkaMb: { title: 'Resident memory of Kafka', unit: 'MiB', least: 4, judgedBy: held },
  connections: { title: 'Connections to Postgres', unit: 'connections', least: 0.5, judgedBy: held },
  retainedWalMb: { title: 'WAL that slots retain', unit: 'MiB', least: 0.25, judgedBy: held },
  rowsMb: { title: 'Rows of tables', unit: 'MiB', least: 0.05, judgedBy: held },
  bloat: { title: 'Tables and indexes over their rows', unit: 'times', least: 0.05, judgedBy: held },
  deadRows: { title: 'Dead rows in tables', unit: 'rows', least: 100, judgedBy: held },
  logMb: { title: 'The log on disk', unit: 'MiB', least: 0.01, judgedBy: 'added' },
} as const satisfies Readonly<Record<string, Measure>>;

export type MeasureName = keyof typeof measures;
export type Reading = Readonly<Record<MeasureName, number | null>>;

export interface Place {
  /** Process numbers; `null`: it has none now. */
  readonly regionPid: number | null;
  readonly kafkaPid: number | null;
  readonly database: string;
  /** The region's folder in the demo's. */
  readonly folder: string;
}

/** Never rejects. */
export async function readPlace(place: Place): Promise<Reading> {
  const { regionPid, kafkaPid, database, folder } = place;
  const [regionMb, regionHandles, kafkaMb, tables, kafkaLogMb] = await Promise.all([
    regionPid === null ? null : readResidentMb(regionPid),
    regionPid === null ? null : handlesOf(regionPid),
    kafkaPid === null ? null : readResidentMb(kafkaPid),
    readDatabase(database),
    folderMb(join(folder, 'kafka', 'data')),
  ]);
  return { regionMb, regionHandles, kafkaMb, ...tables, logMb: kafkaLogMb ?? tables.logMb };
}

async function handlesOf(pid: number): Promise<number | null> {
  return readdir(`/proc/${pid}/fd`).then(
    ({ length }) => length,
    () => null,
  );
}

type DatabaseReading = Pick<
  Reading,
  'connections' | 'retainedWalMb' | 'rowsMb' | 'bloat' | 'deadRows' | 'logMb'
>;

const nothing: DatabaseReading = {
  connections: null,
  retainedWalMb: null,
  rowsMb: null,
  bloat: null,
  deadRows: null,
  logMb: null,
};

/** Relations of the log, where it lies in Postgres, count as the log and not as tables. */
const figures = `
  select (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
    (select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::float8
       from pg_replication_slots) as wal,
    coalesce(sum(pg_total_relation_size(relid)) filter (where relname !~ '^log_'), 0)::float8 as tables,
    sum(pg_total_relation_size(relid)) filter (where relname ~ '^log_')::float8 as log,
    coalesce(sum(n_dead_tup), 0)::float8 as dead
  from pg_stat_user_tables`;

/** Of a table, by the number of bytes that its rows take, however they are stored. */
const rowBytes = `
  select format('(select coalesce(sum(pg_column_size(t.*)), 0)::float8 from %I.%I t)', schemaname, relname) as sql
  from pg_stat_user_tables where relname !~ '^log_'`;

interface Figures {
  readonly connections: number;
  readonly wal: number;
  readonly tables: number;
  readonly log: number | null;
  readonly dead: number;
}

async function readDatabase(database: string): Promise<DatabaseReading> {
  const client = new pg.Client({
    connectionString: database,
    connectionTimeoutMillis: queryMs,
    query_timeout: queryMs,
  });
  // A server killed in the middle of a query says so twice; the reading says it once.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Figures>(figures);
    const [row] = rows;
    if (row === undefined) return nothing;
    const bytes = await rowBytesOf(client);
    return {
      connections: row.connections,
      retainedWalMb: row.wal / mebibyte,
      rowsMb: bytes / mebibyte,
      bloat: bytes === 0 ? null : row.tables / bytes,
      deadRows: row.dead,
      logMb: row.log === null ? null : row.log / mebibyte,
    };
  } catch {
    return nothing;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function rowBytesOf(client: pg.Client): Promise<number> {
  const { rows: tables } = await client.query<{ readonly sql: string }>(rowBytes);
  if (tables.length === 0) return 0;
  const sum = tables.map(({ sql }) => sql).join(' + ');
  const { rows } = await client.query<{ readonly bytes: number }>(`select ${sum} as bytes`);
  return rows[0]?.bytes ?? 0;
}

/** Bytes that the files of a folder take on disk; `null`: there is no such folder. */
async function folderMb(folder: string): Promise<number | null> {
  const names = await readdir(folder, { recursive: true }).catch(() => null);
  if (names === null) return null;
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => (found.isFile() ? found.blocks * 512 : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / mebibyte;
}
