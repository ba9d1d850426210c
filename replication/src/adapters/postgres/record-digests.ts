/**
 * The port `RecordReader` on Postgres. Digests are computed where the rows are, so that comparing a million equal
 * records moves a few kilobytes; the function is the one of `record-hash.ts`. Every statement goes by the primary key
 * and is bounded in records, and those that hash are bounded in bytes too. Of states those come at once that are small, and
 * the others a few MiB in a statement, which has five seconds.
 */
import { assert } from '../../errors.ts';
import type { RecordId } from '../../ports/change.ts';
import type {
  HashedRecords,
  NextRange,
  RangeDigest,
  RecordRange,
  RecordReader,
} from '../../ports/record-reader.ts';
import { hashBytes, maxRangeBytes, maxRangeRecords, maxRanges, maxReadBytes } from '../../record-hash.ts';
import { maxStatementBytes } from '../../transaction-limits.ts';
import { textArray } from './binary-array.ts';
import { requireStorable } from '../key-order.ts';
import type { Row } from './row-values.ts';
import { bytesAt, nullableAt, numberAt, textAt } from './row-values.ts';
import type { Answer, Call, Statement } from './session.ts';
import { inParts } from './statement-parts.ts';

interface SizedState extends RecordId {
  readonly bytes: number;
  /** `null`: it is larger than was asked for. */
  readonly state: Uint8Array | null;
}

/** Sends statements together and gives their answers in order. */
export type Ask = (calls: readonly Call[]) => Promise<readonly Answer[]>;

const hash = `substring(sha256(convert_to(collection, 'UTF8') || '\\x00'::bytea || convert_to(key, 'UTF8')
  || '\\x00'::bytea || state) FROM 1 FOR ${hashBytes})`;
/** Tells what would be hashed without reading it. */
const bytesBefore = '(sum(octet_length(state)) OVER names - octet_length(state))::bigint AS bytes_before';
const inNames = 'WINDOW names AS (ORDER BY collection, key)';
const next = `SELECT collection, key, state FROM isthmus.record
  WHERE (collection, key) > ($1, $2) AND (collection, key) <= ($3, $4) ORDER BY collection, key`;
const nothing = new Uint8Array(0);
/** A range of the receiver that holds more differs from one of the donor by its count alone. */
const mostCounted = maxRangeRecords * 4;

export const selectRanges: Statement = {
  name: 'isthmus_ranges',
  text: `SELECT (array_agg(collection ORDER BY place DESC))[1], (array_agg(key ORDER BY place DESC))[1],
    sha256(string_agg(hash, ''::bytea ORDER BY place)), count(*)
  FROM (
    SELECT collection, key, place, (place - 1) / ${maxRangeRecords} + bytes_before / ${maxRangeBytes} AS range, ${hash} AS hash
    FROM (
      SELECT collection, key, state, row_number() OVER names AS place,
        ${bytesBefore}
      FROM (SELECT collection, key, state FROM isthmus.record WHERE (collection, key) > ($1, $2)
        ORDER BY collection, key LIMIT ${maxRangeRecords * maxRanges}) AS next
      ${inNames}
    ) AS measured WHERE bytes_before < ${maxReadBytes}
  ) AS hashed GROUP BY range ORDER BY range`,
};

export const selectDigest: Statement = {
  name: 'isthmus_range_digest',
  text: `SELECT sha256(string_agg(hash, ''::bytea ORDER BY collection, key)), count(*) FROM (
    SELECT collection, key, ${hash} AS hash FROM (
      SELECT collection, key, state, ${bytesBefore} FROM (${next} LIMIT ${mostCounted}) AS next ${inNames}
    ) AS measured WHERE bytes_before < ${maxRangeBytes}) AS hashed`,
};

export const selectHashes: Statement = {
  name: 'isthmus_range_hashes',
  text: `SELECT collection, key, ${hash}, found FROM (
    SELECT collection, key, state, ${bytesBefore}, count(*) OVER () AS found FROM (${next} LIMIT $5) AS next ${inNames}
  ) AS measured WHERE bytes_before < ${maxReadBytes} ORDER BY collection, key`,
};

export const selectStates: Statement = {
  name: 'isthmus_states',
  text: `SELECT key, octet_length(state), CASE WHEN octet_length(state) <= $3 THEN state END
  FROM isthmus.record WHERE collection = $1 AND key = ANY ($2::text[])`,
};

/** No state is larger. */
const anyBytes = 2 ** 31 - 1;

export class PostgresRecordReader implements RecordReader {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async ranges(after: RecordId): Promise<readonly NextRange[]> {
    const rows = await this.#rows([selectRanges, after.collection, after.key]);
    return rows.map((row) => ({
      until: idAt(row),
      digest: bytesAt(row, 2),
      records: numberAt(row, 3),
    }));
  }

  async digest(range: RecordRange): Promise<RangeDigest> {
    const [row] = await this.#rows([selectDigest, ...bounds(range)]);
    assert(row !== undefined, 'an aggregate has one row');
    return { digest: nullableAt(row, 0, bytesAt) ?? nothing, records: numberAt(row, 1) };
  }

  async hashes(range: RecordRange, limit: number): Promise<HashedRecords> {
    const rows = await this.#rows([selectHashes, ...bounds(range), limit]);
    const last = rows.at(-1);
    const isCut = last !== undefined && (rows.length >= limit || rows.length < numberAt(last, 3));
    return {
      records: rows.map((row) => ({ ...idAt(row), hash: bytesAt(row, 2) })),
      through: isCut ? idAt(last) : range.until,
    };
  }

  async states(ids: readonly RecordId[]): Promise<readonly Uint8Array[]> {
    if (ids.length === 0) return [];
    for (const id of ids) requireStorable(id);
    const found = await this.#sized(ids, Math.floor(maxStatementBytes / ids.length));
    const large = found.filter(({ state }) => state === null);
    for (const part of inParts(large, ({ bytes }) => bytes))
      for (const each of await this.#sized(part, anyBytes)) found.push(each);
    const states = new Map(found.map(({ collection, key, state }) => [`${collection}\0${key}`, state]));
    return ids.map(({ collection, key }) => states.get(`${collection}\0${key}`) ?? nothing);
  }

  /** Of those that are stored, with the states of those that have no more than `mostBytes`. */
  async #sized(ids: readonly RecordId[], mostBytes: number): Promise<SizedState[]> {
    const keys = new Map<string, string[]>();
    for (const { collection, key } of ids) {
      const named = keys.get(collection);
      if (named === undefined) keys.set(collection, [key]);
      else named.push(key);
    }
    const collections = [...keys];
    const answers = await this.#ask(
      collections.map(([collection, named]): Call => [selectStates, collection, textArray(named), mostBytes]),
    );
    return collections.flatMap(([collection], index) =>
      (answers[index]?.rows ?? []).map((row) => ({
        collection,
        key: textAt(row, 0),
        bytes: numberAt(row, 1),
        state: nullableAt(row, 2, bytesAt),
      })),
    );
  }

  async #rows(call: Call): Promise<readonly Row[]> {
    const [answer] = await this.#ask([call]);
    assert(answer !== undefined, 'every statement is answered');
    return answer.rows;
  }
}

function bounds({ after, until }: RecordRange): readonly [string, string, string, string] {
  return [after.collection, after.key, until.collection, until.key];
}

function idAt(row: Row): RecordId {
  return { collection: textAt(row, 0), key: textAt(row, 1) };
}
