/**
 * The end of a transfer (P6): positions are raised to the greater of themselves and the vector, in one transaction with
 * everything that this promises. The position rows are locked first (P4), so no applier and no retry of a dead letter
 * stands between. States that were refused become dead letters (`refused-places.ts`), so `settled` stays before
 * them; letters whose change is in the stored record are closed. An applier that is in mid-flight
 * meanwhile is fenced and reads its position anew.
 */
import { assert } from '../../errors.ts';
import type { BeatOf } from '../../ports/beat-store.ts';
import type { RecordId } from '../../ports/change.ts';
import type { RaiseTransaction } from '../../ports/transfer-store.ts';
import type { Vector } from '../../ports/vector.ts';
import { textArray } from './binary-array.ts';
import { refusedPlaces } from '../refused-places.ts';
import { awaitNoMore, awaitUngiven } from './awaited-past.ts';
import { requireOpenDonor, selectClosedDonor } from './closed-donor.ts';
import { commitWith } from './commit.ts';
import { isClosed, regionAt } from './positions.ts';
import { readPassed, selectPassed } from './passed-letters.ts';
import { reachedBeat } from './dead-letter-store.ts';
import { beginWithoutWaiting } from './remote-apply.ts';
import type { Row } from './row-values.ts';
import { lsnAt, numberAt, textAt } from './row-values.ts';
import type { Call, Session, Statement } from './session.ts';
import { selectHorizon } from './standing.ts';
import { raiseFloors } from './tombstone-store.ts';
import { entryAt, isEntryOf, vectorFrom, vectorValues } from './vector-columns.ts';
import { raiseWhole } from './whole-pasts.ts';
import { formatLsn } from './wal-message.ts';

const openRows: Statement = {
  name: 'isthmus_transfer_open_positions',
  text: `INSERT INTO isthmus.position
    (origin, incarnation_counter, incarnation_nonce, partition, applied, settled, next_offset, closed)
  SELECT region, counter, nonce, partition, '0/0', '0/0', 0, ${isClosed('entry.region')} FROM ${vectorFrom(1)}
  ON CONFLICT DO NOTHING`,
};

export const lockRows: Statement = {
  name: 'isthmus_transfer_lock_positions',
  text: `SELECT origin, incarnation_counter, incarnation_nonce, position.partition, applied::text, entry.lsn::text
  FROM ${vectorFrom(1)} JOIN isthmus.position ON ${isEntryOf('position', 'origin')}
  ORDER BY origin, incarnation_counter, incarnation_nonce, position.partition FOR UPDATE OF position`,
};

const selectRefused: Statement = {
  name: 'isthmus_transfer_refused_select',
  text: `SELECT collection, key, donor FROM isthmus.transfer_refused JOIN isthmus.transfer ON transfer.id = transfer_refused.transfer
  WHERE transfer_refused.transfer = $1 ORDER BY collection, key`,
};

const closeLetters: Statement = {
  name: 'isthmus_transfer_close_letters',
  text: `UPDATE isthmus.dead_letter AS letter SET closed_at = clock_timestamp(), delta = '',
    fate = CASE WHEN letter.fate IS NOT NULL THEN 'repaired' END
  FROM unnest($1::text[], $2::text[]::bigint[], $3::text[]::bigint[], $4::text[]::int[], $5::text[]::pg_lsn[],
    $6::text[]::int[]) AS covered (region, counter, nonce, partition, lsn, index)
  WHERE letter.origin = covered.region AND letter.incarnation_counter = covered.counter
    AND letter.incarnation_nonce = covered.nonce AND letter.partition = covered.partition
    AND letter.lsn = covered.lsn AND letter.index = covered.index`,
};

/** Indices below zero: they are places of no change. The same state is put aside once. */
const openLetters: Statement = {
  name: 'isthmus_transfer_open_letters',
  text: `INSERT INTO isthmus.dead_letter
    (origin, incarnation_counter, incarnation_nonce, partition, lsn, index, collection, key, delta, cause, detail,
      stamp_ms, beat_before)
  SELECT place.region, place.counter, place.nonce, place.partition, place.lsn,
    least(0, (SELECT min(index) FROM isthmus.dead_letter AS before WHERE before.origin = place.region
      AND before.incarnation_counter = place.counter AND before.incarnation_nonce = place.nonce
      AND before.partition = place.partition AND before.lsn = place.lsn))
      - row_number() OVER (PARTITION BY place.region, place.counter, place.nonce, place.partition
        ORDER BY refused.collection, refused.key),
    refused.collection, refused.key, refused.state, refused.cause, refused.detail, refused.stamp_ms,
    (SELECT coalesce(newest_beat, position.beat) FROM isthmus.position WHERE position.origin = place.region
      AND position.incarnation_counter = place.counter AND position.incarnation_nonce = place.nonce
      AND position.partition = place.partition)
  FROM unnest($2::text[], $3::text[]::bigint[], $4::text[]::bigint[], $5::text[]::int[], $6::text[]::pg_lsn[],
    $7::text[], $8::text[]) AS place (region, counter, nonce, partition, lsn, collection, key)
  JOIN isthmus.transfer_refused AS refused ON refused.transfer = $1 AND refused.collection = place.collection
    AND refused.key = place.key
  WHERE NOT EXISTS (SELECT FROM isthmus.dead_letter AS kept WHERE kept.origin = place.region
    AND kept.incarnation_counter = place.counter AND kept.incarnation_nonce = place.nonce
    AND kept.partition = place.partition AND kept.closed_at IS NULL AND kept.index < 0
    AND kept.collection = refused.collection AND kept.key = refused.key AND kept.delta = refused.state)`,
};

const raiseApplied: Statement = {
  name: 'isthmus_transfer_raise',
  text: `UPDATE isthmus.position SET applied = entry.lsn FROM ${vectorFrom(1)}
  WHERE ${isEntryOf('position', 'origin')} AND position.applied < entry.lsn`,
};

/** A later life is read from where it has a position, and nothing of those before it (P9). The first word stays. */
const endOlderLives: Statement = {
  name: 'isthmus_transfer_end_older_lives',
  text: `INSERT INTO isthmus.closed_incarnation (region, incarnation_counter, incarnation_nonce, partition, lsn)
  SELECT origin, incarnation_counter, incarnation_nonce, partition, applied FROM isthmus.position AS older
  WHERE origin = ANY ($1::text[]) AND EXISTS (SELECT FROM isthmus.position AS newer WHERE newer.origin = older.origin
    AND newer.partition = older.partition AND newer.incarnation_counter > older.incarnation_counter)
  ORDER BY origin, incarnation_counter, incarnation_nonce, partition ON CONFLICT DO NOTHING`,
};

const passedBeat =
  'ROW(passed.number, passed.lsn, passed.at_ms, passed.count, passed.end_lsn)::isthmus.counted_beat';

/** As far as the oldest letter lets it, and to the beat that had come before that one. */
const settleRaised: Statement = {
  name: 'isthmus_transfer_settle',
  text: `UPDATE isthmus.position SET settled = greatest(settled, least(applied, oldest.lsn - 1)),
    beat = CASE WHEN ${reachedBeat}.number > coalesce((beat).number, -1) THEN ${reachedBeat} ELSE beat END,
    newest_beat = CASE WHEN oldest.lsn IS NOT NULL THEN newest_beat END
  FROM ${vectorFrom(1)} LEFT JOIN LATERAL (SELECT letter.lsn, letter.beat_before FROM isthmus.dead_letter AS letter
    WHERE ${isEntryOf('letter', 'origin')} AND letter.closed_at IS NULL ORDER BY letter.lsn, letter.index LIMIT 1)
    AS oldest ON true
  WHERE ${isEntryOf('position', 'origin')}`,
};

/**
 * A beat is settled where all that lies before its end is, whichever snapshot it is from. Where a letter holds that back
 * it is noted as the newest that has come, for when the letter is closed or another is put aside behind it.
 */
const settleBeats: Statement = {
  name: 'isthmus_transfer_settle_beats',
  text: `UPDATE isthmus.position SET
    beat = CASE WHEN position.settled >= passed.end_lsn AND passed.number > coalesce((position.beat).number, -1)
      THEN ${passedBeat} ELSE position.beat END,
    newest_beat = CASE WHEN position.settled < position.applied
      AND passed.number > coalesce((newest_beat).number, (position.beat).number, -1)
      THEN ${passedBeat} ELSE newest_beat END
  FROM unnest($1::text[], $2::text[]::bigint[], $3::text[]::bigint[], $4::text[]::bigint[], $5::text[]::pg_lsn[],
    $6::text[]::float8[], $7::text[]::bigint[], $8::text[]::pg_lsn[])
    AS passed (region, counter, nonce, number, lsn, at_ms, count, end_lsn)
  WHERE position.origin = passed.region AND position.incarnation_counter = passed.counter
    AND position.incarnation_nonce = passed.nonce AND position.applied >= passed.end_lsn
    AND ((position.beat).number IS NULL OR (position.beat).number < passed.number)`,
};

export const forgetRefused: Statement = {
  name: 'isthmus_transfer_forget_refused',
  text: 'DELETE FROM isthmus.transfer_refused WHERE transfer = $1',
};

/** One attempt. The caller rolls back what it throws. */
export async function raisePositions(session: Session, transaction: RaiseTransaction): Promise<boolean> {
  const { job, vector, beats, floorMs, decide } = transaction;
  const entries = vectorValues(vector);
  const answers = await session.pipeline([
    ...beginWithoutWaiting,
    [selectClosedDonor, job],
    ...awaitUngiven(transaction),
    [openRows, ...entries],
    [lockRows, ...entries],
    [selectHorizon],
    [selectPassed, ...entries, job],
    [selectRefused, job],
  ]);
  const donor = answers[beginWithoutWaiting.length];
  const [locked, horizon, passed, refused] = answers.slice(-4);
  await requireOpenDonor(session, donor);
  const { rows: open, letters } = await readPassed(session, passed?.rows ?? []);
  const covered = decide({ letters, horizon: (horizon?.rows ?? []).map((row) => entryAt(row, 0)) });
  if (covered === null) {
    await session.rollback();
    return false;
  }
  assert(covered.length === letters.length, 'every letter is judged');
  const places = placesOf(transaction, locked?.rows ?? [], refused?.rows ?? []);
  await commitWith(session, {
    before: [
      ...closeCalls(open.filter((_, index) => covered[index])),
      ...openCalls(job, places),
      [raiseApplied, ...entries],
      [settleRaised, ...entries],
      ...endCalls(transaction),
      ...beatCalls(beats),
      awaitNoMore(transaction),
      ...raiseWhole(transaction),
      [forgetRefused, job],
      [raiseFloors, 0, floorMs],
    ],
    after: [],
  });
  return true;
}

function endCalls({ region, vector }: RaiseTransaction): readonly Call[] {
  const others = [...new Set(vector.map((entry) => entry.region))].filter((each) => each !== region);
  return others.length === 0 ? [] : [[endOlderLives, textArray(others)]];
}

function closeCalls(rows: readonly Row[]): readonly Call[] {
  if (rows.length === 0) return [];
  const column = (read: (row: Row) => string): Buffer => textArray(rows.map(read));
  return [
    [
      closeLetters,
      column((row) => textAt(row, 0)),
      ...[1, 2, 3].map((at) => column((row) => `${numberAt(row, at)}`)),
      column((row) => textAt(row, 4)),
      column((row) => `${numberAt(row, 5)}`),
    ],
  ];
}

function beatCalls(beats: readonly BeatOf[]): readonly Call[] {
  if (beats.length === 0) return [];
  const column = (read: (beat: BeatOf) => string | null): Buffer => textArray(beats.map(read));
  return [
    [
      settleBeats,
      column(({ region }) => region),
      column(({ incarnation }) => `${incarnation.counter}`),
      column(({ incarnation }) => `${incarnation.nonce}`),
      column(({ beat }) => `${beat.number}`),
      column(({ beat }) => formatLsn(beat.lsn)),
      column(({ beat }) => `${beat.atMs}`),
      column(({ beat }) => (beat.count === null ? null : `${beat.count}`)),
      column(({ beat }) => formatLsn(beat.end)),
    ],
  ];
}

interface Placed {
  readonly entry: Vector[number];
  readonly id: RecordId;
}

function placesOf(
  { partitionOf }: RaiseTransaction,
  rows: readonly Row[],
  refused: readonly Row[],
): readonly Placed[] {
  const reached = rows.map((row) => {
    const { lsn: applied, ...rest } = entryAt(row, 0);
    return { entry: { ...rest, lsn: lsnAt(row, 5) }, applied };
  });
  return refused.flatMap((row) => {
    const id = { collection: textAt(row, 0), key: textAt(row, 1) };
    const of = { partition: partitionOf(id), donor: regionAt(row, 2) };
    return refusedPlaces(reached, of).map((entry) => ({ entry, id }));
  });
}

function openCalls(job: number, places: readonly Placed[]): readonly Call[] {
  if (places.length === 0) return [];
  const column = (read: (place: Placed) => string): Buffer => textArray(places.map(read));
  return [
    [
      openLetters,
      job,
      column(({ entry }) => entry.region),
      column(({ entry }) => `${entry.incarnation.counter}`),
      column(({ entry }) => `${entry.incarnation.nonce}`),
      column(({ entry }) => `${entry.partition}`),
      column(({ entry }) => formatLsn(entry.lsn)),
      column(({ id }) => id.collection),
      column(({ id }) => id.key),
    ],
  ];
}
