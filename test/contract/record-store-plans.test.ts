/**
 * The hot statements go by an index or by tuple ids whatever the planner knows of the tables: on empty and on filled
 * ones, before and after statistics are gathered, and with plans that were cached while the tables were empty.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from 'pg';
import { selectLetterAgenda } from '@isthmus/replication/adapters/postgres/agenda-store';
import { selectCountAt } from '@isthmus/replication/adapters/postgres/beat-store';
import { insertBeat } from '@isthmus/replication/adapters/postgres/beat-hold';
import { selectOwnBeats, selectRpoFigures } from '@isthmus/replication/adapters/postgres/beat-figures';
import { settings } from '@isthmus/replication/adapters/postgres/connections';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import {
  closeLetters,
  lockLetter,
  lockLetters,
  lockPosition,
  pruneLetters,
  selectDue,
  selectLetters,
  settleAfterClose,
} from '@isthmus/replication/adapters/postgres/dead-letter-store';
import { selectHeld } from '@isthmus/replication/adapters/postgres/dead-letters';
import { lockUnmarked, markRecords } from '@isthmus/replication/adapters/postgres/examination';
import { noteConflicts, selectOpen } from '@isthmus/replication/adapters/postgres/incident-store';
import {
  movePositions,
  selectAllPositions,
  selectPositions,
  settlePositions,
} from '@isthmus/replication/adapters/postgres/positions';
import {
  deleteRecords,
  insertPlaceholders,
  lockRecords,
  selectLarge,
  updateRecords,
} from '@isthmus/replication/adapters/postgres/record-locks';
import {
  listBelow,
  listMarked,
  listRest,
  scanChunk,
  selectRecord,
} from '@isthmus/replication/adapters/postgres/record-reader';
import {
  selectDigest,
  selectHashes,
  selectRanges,
  selectStates,
} from '@isthmus/replication/adapters/postgres/record-digests';
import { lockDead, selectDead } from '@isthmus/replication/adapters/postgres/tombstone-store';
import { selectDeltas, selectPassedStates } from '@isthmus/replication/adapters/postgres/passed-letters';
import { lockRows } from '@isthmus/replication/adapters/postgres/transfer-raise';
import { selectPublished } from '@isthmus/replication/adapters/postgres/transfer-store';
import type { FreshDatabase } from './fresh-database.ts';
import { freshDatabase } from './fresh-database.ts';
import { region } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

const statements = [
  selectLetterAgenda,
  insertPlaceholders,
  lockRecords,
  selectLarge,
  updateRecords,
  deleteRecords,
  selectRecord,
  listBelow,
  listMarked,
  listRest,
  scanChunk,
  lockUnmarked,
  markRecords,
  movePositions,
  settlePositions,
  selectPositions,
  selectAllPositions,
  insertBeat,
  selectCountAt,
  selectOwnBeats,
  selectRpoFigures,
  selectLetters,
  selectDue,
  lockPosition,
  lockLetter,
  lockLetters,
  closeLetters,
  pruneLetters,
  selectHeld,
  settleAfterClose,
  noteConflicts,
  selectOpen,
  selectRanges,
  selectDigest,
  selectHashes,
  selectStates,
  lockRows,
  selectPublished,
  lockDead,
  selectDead,
  selectDeltas,
  selectPassedStates,
];
/** By the primary key for names, so that a range of keys is read and not the rest of the collection. */
const byKey = [lockRecords, lockDead, selectRecord, listBelow, listMarked, listRest, scanChunk, selectStates];
const byPlace = [selectRanges, selectDigest, selectHashes];
const byTuple = [closeLetters, selectDeltas, selectLarge, updateRecords, deleteRecords, markRecords];
/** By the index that holds nothing but what may be in conflict. */
const byMark = [listMarked, lockUnmarked];

let postgres: ScratchPostgres;
let fresh: FreshDatabase;
let client: Client;
beforeAll(async () => {
  postgres = await startScratchPostgres();
  fresh = await freshDatabase(postgres);
  const database = await openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers: [],
    slotName: fresh.slotName,
  });
  await database.close();
  client = new Client({ connectionString: fresh.url });
  await client.connect();
  await client.query(settings.text);
  for (const { name, text } of statements) await client.query(`PREPARE ${name ?? ''} AS ${text}`);
});
afterAll(async () => {
  await client.end();
  await fresh.drop();
  await postgres.stop();
});

async function plan(statement: { readonly name: string | null; readonly text: string }): Promise<string> {
  const count = new Set(statement.text.match(/\$\d+/g)).size;
  const values = Array.from({ length: count }, () => 'NULL').join(', ');
  const execute = `EXECUTE ${statement.name ?? ''}${count > 0 ? `(${values})` : ''}`;
  const explained = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${execute}`);
  return explained.rows.map((row) => row['QUERY PLAN']).join('\n');
}

async function checkAll(): Promise<void> {
  for (const statement of statements) {
    const text = await plan(statement);
    expect(text, statement.name ?? '').not.toMatch(
      /Seq Scan on (record|position|beat|dead_letter|incident|incident_conflict)\b/,
    );
    expect(text, statement.name ?? '').not.toMatch(/Hash Join|Merge Join/);
  }
  for (const statement of byKey) {
    const condition = await plan(statement);
    expect(condition, statement.name ?? '').toMatch(/Index Cond: \(\(collection = \$1\) AND \(key/);
  }
  for (const statement of byPlace) {
    const inOrder = await plan(statement);
    expect(inOrder, statement.name ?? '').toMatch(
      /Index Scan using record_pkey.*\n.*Index Cond: \(+ROW\(collection, key\) > ROW/,
    );
  }
  for (const statement of byMark)
    expect(await plan(statement), statement.name ?? '').toContain('Index Scan using record_conflicting');
  for (const statement of byTuple) expect(await plan(statement)).toContain('TID Cond');
  expect(await plan(selectDead)).toMatch(/Index Scan using record_dead/);
}

describe('plans of the hot statements', () => {
  it('are by index on empty tables', checkAll);

  it('are by index on filled tables, cached and anew, before and after ANALYZE', async () => {
    await client.query(
      `INSERT INTO isthmus.record (collection, key, state, gen, conflicting, dead)
      SELECT 'orders', 'k' || n, 'state', 1, n % 100 = 0, n % 100 = 0 FROM generate_series(1, 50000) AS n`,
    );
    await client.query(`INSERT INTO isthmus.beat (number, lsn, at, count, end_lsn)
      SELECT n, '0/0'::pg_lsn + n, now(), n, '0/0'::pg_lsn + n FROM generate_series(1, 20000) AS n`);
    await client.query(`INSERT INTO isthmus.position
      SELECT 'us', 1, 7, n, '0/1', '0/1', NULL, 0 FROM generate_series(1, 64) AS n`);
    await client.query(`INSERT INTO isthmus.dead_letter
      SELECT 'us', 1, 7, n % 64, '0/0'::pg_lsn + n, 0, 'orders', 'k', 'd', 'clock-too-far-ahead', 'x', now(), NULL, n
      FROM generate_series(1, 20000) AS n`);
    await client.query(`INSERT INTO isthmus.incident (peer, state, ended, body)
      SELECT 'us', 'reconciled', true, '{}' FROM generate_series(1, 5000) AS n`);
    await checkAll();
    await reprepare();
    await checkAll();
    await client.query('ANALYZE');
    await checkAll();
    await reprepare();
    await checkAll();
  });
});

async function reprepare(): Promise<void> {
  await client.query('DEALLOCATE ALL');
  for (const { name, text } of statements) await client.query(`PREPARE ${name ?? ''} AS ${text}`);
}
