/**
 * Reads of stored records that lock nothing. Order is that of the keys' UTF-8 bytes, and every statement goes by the
 * primary key. A scan sees one snapshot and holds one connection until it is read to its end or abandoned; what it
 * holds in memory is bounded by the chunk and one record.
 */
import { assert } from '../../errors.ts';
import type { RecordId } from '../../ports/change.ts';
import { listPageBytes } from '../../ports/record-store.ts';
import type { ConflictingQuery, ListQuery, StoredRecord } from '../../ports/record-store.ts';
import type { Connections } from './connections.ts';
import { endOfPrefix, requireStorable, requireText } from '../key-order.ts';
import type { Row } from './row-values.ts';
import { bytesAt, textAt } from './row-values.ts';
import type { Call, Session, Statement } from './session.ts';
import { commit } from './session.ts';

const chunkBytes = 1024 * 1024;
const chunkRecords = 4_000;

export const selectRecord: Statement = {
  name: 'isthmus_read',
  text: 'SELECT state FROM isthmus.record WHERE collection = $1 AND key = $2',
};

/** At least one record, and then as many as keep the page in its bytes; sizes are known without the values. */
function measured(next: string, pageBytes: number): string {
  return `SELECT key, state FROM (
    SELECT key, state, sum(octet_length(state)) OVER (ORDER BY key) - octet_length(state) AS bytes_before
    FROM (SELECT key, state FROM isthmus.record WHERE ${next}) AS next
  ) AS measured WHERE bytes_before < ${pageBytes} ORDER BY key`;
}

export const listBelow: Statement = {
  name: 'isthmus_list_below',
  text: measured(
    'collection = $1 AND key > $2 AND key >= $3 AND key < $5 ORDER BY key LIMIT $4',
    listPageBytes,
  ),
};

export const listRest: Statement = {
  name: 'isthmus_list_rest',
  text: measured('collection = $1 AND key > $2 AND key >= $3 ORDER BY key LIMIT $4', listPageBytes),
};

export const listMarked: Statement = {
  name: 'isthmus_list_conflicting',
  text: measured(
    'collection = $1 AND key > $2 AND conflicting IS NOT FALSE ORDER BY key LIMIT $3',
    listPageBytes,
  ),
};

export const scanChunk: Statement = {
  name: 'isthmus_scan',
  text: measured(`collection = $1 AND key > $2 ORDER BY key LIMIT ${chunkRecords}`, chunkBytes),
};

const beginSnapshot: Statement = {
  name: null,
  text: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
};

export async function readRecord(connections: Connections, id: RecordId): Promise<Uint8Array | null> {
  requireStorable(id);
  const answer = await connections.query(selectRecord, id.collection, id.key);
  const row = answer.rows[0];
  return row === undefined ? null : bytesAt(row, 0);
}

export async function listRecords(
  connections: Connections,
  query: ListQuery,
): Promise<readonly StoredRecord[]> {
  const answer = await connections.query(...listCall(query));
  return answer.rows.map((row) => storedOf(query.collection, row));
}

export async function listConflicting(
  connections: Connections,
  { collection, after, limit }: ConflictingQuery,
): Promise<readonly StoredRecord[]> {
  requireText('collection', collection);
  requireText('after', after ?? '');
  assert(limit > 0, `limit ${limit}`);
  const answer = await connections.query(listMarked, collection, after ?? '', limit);
  return answer.rows.map((row) => storedOf(collection, row));
}

/** No key is empty, so the empty text stands for "from the beginning". */
function listCall(query: ListQuery): Call {
  requireText('collection', query.collection);
  requireText('prefix', query.prefix);
  requireText('after', query.after ?? '');
  assert(query.limit > 0, `limit ${query.limit}`);
  const from = [query.collection, query.after ?? '', query.prefix, query.limit] as const;
  const end = endOfPrefix(query.prefix);
  return end === null ? [listRest, ...from] : [listBelow, ...from, end];
}

export async function* scanRecords(
  connections: Connections,
  collection: string,
): AsyncGenerator<readonly StoredRecord[]> {
  requireText('collection', collection);
  const session = await connections.checkOut('read');
  try {
    await session.query(beginSnapshot);
    let last = '';
    for (;;) {
      const chunk = await readChunk(session, collection, last);
      const newest = chunk.at(-1);
      if (newest === undefined) break;
      last = newest.key;
      yield chunk;
    }
    await session.query(commit);
  } finally {
    session.release();
  }
}

async function readChunk(
  session: Session,
  collection: string,
  after: string,
): Promise<readonly StoredRecord[]> {
  const answer = await session.query(scanChunk, collection, after);
  return answer.rows.map((row) => storedOf(collection, row));
}

function storedOf(collection: string, row: Row): StoredRecord {
  return { collection, key: textAt(row, 0), state: bytesAt(row, 1) };
}
