/**
 * A page of a collection in the byte order of keys. Records that no longer exist are stored beside the others and are
 * passed over, so a request reads a bounded number of stored rows and a bounded number of bytes; where it stops early
 * the page is short and `next` leads on. A record that this version is too old to show stands in its place by name.
 */
import { isLastPage } from '@isthmus/replication/ports/record-store';
import type { FastifyRequest } from 'fastify';
import type { Listener } from '../http/listener.ts';
import { invalid } from '../records/field-edit.ts';
import { recordAnswer } from '../records/record-view.ts';
import { type ApiParts, collectionOf } from './api-parts.ts';
import type { ApiSessions } from './sessions.ts';
import { formatCursor, parseCursor } from './cursor.ts';
import { maxKeyBytes } from '@isthmus/replication/record-name';
import { checkCharacters } from './names.ts';
import { Turns } from '../turns.ts';
import { limitParameter, pathParameter, queryParameter, wantsSiblings } from './requests.ts';

const chunkRows = 100;
const maxRows = 10_000;
const maxPageBytes = 4 * 1024 * 1024;
/** Each holds a page until it is whole, and one of ten connections nearly all the time. */
const turnOptions = { atOnce: 6, waitMs: 4000, what: 'lists' } as const;

interface Query {
  readonly collection: string;
  readonly prefix: string;
  readonly limit: number;
  readonly after: string | null;
  readonly allSiblings: boolean;
}

export function addListRoute(app: Listener, parts: ApiParts, sessions: ApiSessions): void {
  const turns = new Turns(turnOptions);
  app.get('/v1/collections/:collection/records', async (request, reply) => {
    const page = await turns.take(() => list(parts, request));
    await sessions.read({ request, reply }, null);
    return page;
  });
}

async function list(parts: ApiParts, request: FastifyRequest): Promise<unknown> {
  const query = parseQuery(request);
  const { records, last } = await readPage(parts, query);
  const next = last === null ? null : formatCursor({ ...query, after: last });
  return { records, next };
}

type ListedRecord = ReturnType<typeof recordAnswer>;

interface Page {
  readonly records: readonly ListedRecord[];
  /** Key to go on after; `null` at the end. */
  readonly last: string | null;
}

async function readPage(parts: ApiParts, query: Query): Promise<Page> {
  const { collection, prefix, limit, after, allSiblings } = query;
  const type = collectionOf(parts, collection);
  const records: ListedRecord[] = [];
  let last = after;
  let bytes = 0;
  for (let rows = 0; rows < maxRows; rows += chunkRows) {
    const chunk = await parts.store.list({ collection, prefix, after: last, limit: chunkRows });
    for (const stored of chunk) {
      if (records.length === limit || bytes > maxPageBytes) return { records, last };
      last = stored.key;
      bytes += stored.state.length;
      const shown = type.show(stored.state);
      if (shown !== null) records.push(recordAnswer(stored, shown, allSiblings));
    }
    if (isLastPage(chunk, chunkRows)) return { records, last: null };
  }
  return { records, last };
}

function parseQuery(request: FastifyRequest): Query {
  const collection = pathParameter(request, 'collection');
  const prefix = queryParameter(request, 'prefix') ?? '';
  checkCharacters(prefix, 'prefix');
  const prefixBytes = Buffer.byteLength(prefix);
  if (prefixBytes > maxKeyBytes)
    throw invalid('prefix', {
      rule: 'bytes',
      limit: maxKeyBytes,
      value: prefixBytes,
      what: `has at most ${maxKeyBytes} bytes`,
    });
  const cursor = queryParameter(request, 'cursor');
  const after = cursor === null ? null : parseCursor(cursor, { collection, prefix });
  return { collection, prefix, limit: limitParameter(request), after, allSiblings: wantsSiblings(request) };
}
