/**
 * Changes that were put aside because they could not be applied (P4). Storing one twice is harmless: a change is
 * known by its place in its origin's log. They are kept with their bytes, so that they can be tried again.
 */
import { assert } from '../../errors.ts';
import { type Held, hasRoom, heldBy } from '../../letter-limits.ts';
import { maxStatementBytes } from '../../transaction-limits.ts';
import type { RegionId } from '../../ports/identity.ts';
import type {
  ApplyTransaction,
  DeadLetter,
  DeadLetterCause,
  DeadLetterCount,
} from '../../ports/record-store.ts';
import { beatArrays, beatColumnsOf } from './beat-columns.ts';
import { byteaArray, textArray } from './binary-array.ts';
import { partitionArrays, regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { numberAt, textAt } from './row-values.ts';
import type { Call, Session, Statement } from './session.ts';
import { inParts } from './statement-parts.ts';
import { formatLsn } from './wal-message.ts';

const maxDetailLength = 500;
const maxStatementLetters = 5_000;
const causes: ReadonlySet<string> = new Set<DeadLetterCause>([
  'malformed',
  'clock-too-far-ahead',
  'too-large',
  'newer-format',
]);

/** Before the positions settle with them: each is stored with the beat that had come before it. */
const insertDeadLetters: Statement = {
  name: 'isthmus_dead_letters_insert',
  text: `INSERT INTO isthmus.dead_letter
  (origin, incarnation_counter, incarnation_nonce, partition, lsn, index, collection, key, delta, cause, detail, stamp_ms,
    beat_before)
  SELECT $1, counter, nonce, partition, lsn, index, collection, key, delta, cause, detail, stamp_ms,
    CASE WHEN beat IS NOT NULL THEN ROW(beat, beat_lsn, beat_at, beat_count, beat_end)::isthmus.counted_beat
    ELSE (SELECT coalesce(newest_beat, position.beat) FROM isthmus.position WHERE position.origin = $1
      AND position.incarnation_counter = letter.counter AND position.incarnation_nonce = letter.nonce
      AND position.partition = letter.partition) END
  FROM unnest($2::text[]::bigint[], $3::text[]::bigint[], $4::text[]::int[],
    $5::text[]::pg_lsn[], $6::text[]::int[], $7::text[], $8::text[], $9::bytea[], $10::text[], $11::text[],
    $12::text[]::bigint[], ${beatArrays(13)})
    AS letter (counter, nonce, partition, lsn, index, collection, key, delta, cause, detail, stamp_ms,
      beat, beat_lsn, beat_at, beat_count, beat_end)
  ON CONFLICT DO NOTHING`,
};

const keptBytes = 'octet_length(delta) + octet_length(collection) + octet_length(key)';

export const countOpen: Statement = {
  name: 'isthmus_dead_letters_count',
  text: `SELECT origin, cause, count(*), sum(${keptBytes}) FROM isthmus.dead_letter WHERE closed_at IS NULL
  GROUP BY origin, cause ORDER BY origin, cause`,
};

export const selectHeld: Statement = {
  name: 'isthmus_dead_letters_held',
  text: `SELECT count(*), coalesce(sum(${keptBytes}), 0) FROM isthmus.dead_letter
  WHERE origin = $1 AND closed_at IS NULL`,
};

/** Within the transaction that is to store them. */
export async function haveRoom(
  session: Session,
  origin: RegionId,
  letters: readonly DeadLetter[],
): Promise<boolean> {
  if (letters.length === 0) return true;
  const { rows } = await session.query(selectHeld, origin);
  return hasRoom(
    heldAt(rows[0], 0),
    heldBy(letters, ({ delta }) => delta),
  );
}

/** A count and a sum of bytes. */
export function heldAt(row: Row | undefined, column: number): Held {
  assert(row !== undefined, 'a count has one row');
  return { count: numberAt(row, column), bytes: numberAt(row, column + 1) };
}

/** A commit of an origin has no bound here, and none of it may be lost: they go in several statements. */
export function insertLetters(
  transaction: ApplyTransaction,
  letters: readonly DeadLetter[],
): readonly Call[] {
  const share = maxStatementBytes / maxStatementLetters;
  return inParts(letters, ({ delta }) => Math.max(delta.length, share)).map((part) =>
    insertion(transaction, part),
  );
}

function insertion({ origin, positions }: ApplyTransaction, letters: readonly DeadLetter[]): Call {
  const texts = (read: (letter: DeadLetter) => string): Buffer =>
    textArray(letters.map((letter) => storable(read(letter))));
  const homes = letters.map(({ partition }) => {
    const home = positions.find((position) => position.partition === partition);
    assert(home !== undefined, `a dead letter of partition ${partition}, which does not move`);
    return home;
  });
  return [
    insertDeadLetters,
    origin,
    ...partitionArrays(homes),
    texts((letter) => formatLsn(letter.lsn)),
    texts((letter) => `${letter.index}`),
    texts((letter) => letter.collection),
    texts((letter) => letter.key),
    byteaArray(letters.map((letter) => letter.delta)),
    texts((letter) => letter.cause),
    texts((letter) => letter.detail.slice(0, maxDetailLength)),
    textArray(letters.map(({ stampMs }) => (stampMs === null ? null : `${stampMs}`))),
    ...beatColumnsOf(letters.map(({ beatBefore = null }) => beatBefore)),
  ];
}

export function countOf(row: Row): DeadLetterCount {
  return { origin: regionAt(row, 0), cause: causeAt(row, 1), ...heldAt(row, 2) };
}

export function causeAt(row: Row, column: number): DeadLetterCause {
  const cause = textAt(row, column);
  assert(isCause(cause), `no cause of a dead letter: ${cause}`);
  return cause;
}

function isCause(text: string): text is DeadLetterCause {
  return causes.has(text);
}

/** A name with U+0000 is one reason to be put aside, and Postgres cannot hold it: its picture stands in for it. */
function storable(text: string): string {
  return text.replaceAll('\0', '\u2400');
}
