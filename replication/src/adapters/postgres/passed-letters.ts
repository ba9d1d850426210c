/**
 * What the end of a transfer reads of the letters that its vector has passed: first how large they and their records are,
 * and then, of as many of the oldest as one transaction may read, each delta and each record once. The positions are
 * locked, so no letter changes meanwhile; a record may, to something that holds at least as much.
 */
import type { RecordId } from '../../ports/change.ts';
import type { PassedLetter } from '../../ports/transfer-store.ts';
import { lookedAt, recordNameOf } from '../passed-letters.ts';
import { textArray, tidArray } from './binary-array.ts';
import type { Row } from './row-values.ts';
import { booleanAt, bytesAt, numberAt, textAt } from './row-values.ts';
import type { Session, Statement } from './session.ts';
import { inParts } from './statement-parts.ts';
import { isEntryOf, vectorFrom } from './vector-columns.ts';

/** Beyond this many, letters stay open and a later transfer or a retry closes them. */
const maxLetters = 1000;

export const selectPassed: Statement = {
  name: 'isthmus_transfer_passed',
  text: `SELECT letter.origin, letter.incarnation_counter, letter.incarnation_nonce, letter.partition, letter.lsn::text,
    letter.index, letter.collection, letter.key, octet_length(letter.delta), coalesce(octet_length(record.state), 0),
    letter.fate IS NOT NULL, EXISTS (SELECT FROM isthmus.transfer_refused AS refused WHERE refused.transfer = $6
      AND refused.collection = letter.collection AND refused.key = letter.key), letter.ctid::text
  FROM ${vectorFrom(1)} JOIN isthmus.dead_letter AS letter ON ${isEntryOf('letter', 'origin')}
    AND letter.closed_at IS NULL AND letter.lsn <= entry.lsn
  LEFT JOIN isthmus.record ON record.collection = letter.collection AND record.key = letter.key
  ORDER BY letter.lsn LIMIT ${maxLetters}`,
};

export const selectDeltas: Statement = {
  name: 'isthmus_transfer_passed_deltas',
  text: 'SELECT ctid::text, delta FROM isthmus.dead_letter WHERE ctid = ANY ($1::tid[])',
};

export const selectPassedStates: Statement = {
  name: 'isthmus_transfer_passed_states',
  text: `SELECT record.collection, record.key, record.state
  FROM unnest($1::text[], $2::text[]) AS wanted (collection, key)
  JOIN isthmus.record ON record.collection = wanted.collection AND record.key = wanted.key`,
};

interface Sized extends RecordId {
  readonly row: Row;
  readonly tuple: string;
  readonly deltaBytes: number;
  readonly stateBytes: number;
}

/** Rows of `selectPassed`; the letters of as many of the first as are returned with them. */
export async function readPassed(
  session: Session,
  rows: readonly Row[],
): Promise<{ readonly rows: readonly Row[]; readonly letters: readonly PassedLetter[] }> {
  const sized = rows.map(sizedAt);
  const passed = sized.slice(0, lookedAt(sized));
  const deltas = new Map<string, Uint8Array>();
  for (const part of inParts(passed, ({ deltaBytes }) => deltaBytes)) {
    const answer = await session.query(selectDeltas, tidArray(part.map(({ tuple }) => tuple)));
    for (const row of answer.rows) deltas.set(textAt(row, 0), bytesAt(row, 1));
  }
  const states = await readStates(session, passed);
  const letters = passed.map(({ collection, key, tuple, row }) => ({
    collection,
    key,
    delta: deltas.get(tuple) ?? new Uint8Array(0),
    state: states.get(recordNameOf({ collection, key })) ?? new Uint8Array(0),
    isGivenUp: booleanAt(row, 10),
    isRefused: booleanAt(row, 11),
  }));
  return { rows: passed.map(({ row }) => row), letters };
}

async function readStates(
  session: Session,
  passed: readonly Sized[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const records = [...new Map(passed.map((letter) => [recordNameOf(letter), letter])).values()];
  const states = new Map<string, Uint8Array>();
  for (const part of inParts(records, ({ stateBytes }) => stateBytes)) {
    const names = [part.map(({ collection }) => collection), part.map(({ key }) => key)];
    const answer = await session.query(selectPassedStates, ...names.map((each) => textArray(each)));
    for (const row of answer.rows) {
      const id = { collection: textAt(row, 0), key: textAt(row, 1) };
      states.set(recordNameOf(id), bytesAt(row, 2));
    }
  }
  return states;
}

function sizedAt(row: Row): Sized {
  return {
    row,
    collection: textAt(row, 6),
    key: textAt(row, 7),
    deltaBytes: numberAt(row, 8),
    stateBytes: numberAt(row, 9),
    tuple: textAt(row, 12),
  };
}
