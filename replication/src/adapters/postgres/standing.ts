/**
 * How far a snapshot reaches, read inside it (P6). The first statement takes the snapshot and then reads the insert
 * position, so every own commit that the snapshot shows ended before it. A beat speaks for the own changes only where
 * its xid is older than the snapshot's xmin: the flush position, or xmax, would promise commits that are in the log
 * and not yet visible.
 */
import { assert } from '../../errors.ts';
import type { Standing } from '../../ports/transfer-store.ts';
import { type SettledBeatRow, settledBeats } from '../newest-settled-beats.ts';
import { isOneOf, lifeAt as awaitedLifeAt, selectAwaited } from './awaited-past.ts';
import { isWanted } from './empty.ts';
import { beatAt, beatColumns } from './beat-columns.ts';
import { milliseconds } from './beat-figures.ts';
import { lifeAt, selectLife } from './slot-life.ts';
import { incarnationAt, regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { booleanAt, lsnAt, nullableAt, numberAt } from './row-values.ts';
import type { Answer, Call, Statement } from './session.ts';
import { entryAt } from './vector-columns.ts';
import { selectWhole, wholeAt } from './whole-pasts.ts';

const selectOwn: Statement = {
  name: 'isthmus_standing',
  text: `SELECT pg_current_wal_insert_lsn()::text, ${milliseconds('clock_timestamp()')}, beat.lsn::text,
    ${milliseconds('beat.at')}, NOT EXISTS (SELECT FROM isthmus.record),
    (SELECT stamp_floor_ms FROM isthmus.identity), ${isWanted},
    EXISTS (SELECT FROM isthmus.refill WHERE state = 'securing')
  FROM (SELECT) AS one LEFT JOIN LATERAL (
    SELECT lsn, at FROM isthmus.beat
    WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY number DESC LIMIT 1
  ) AS beat ON true`,
};

const selectReached: Statement = {
  name: 'isthmus_reached',
  text: `SELECT origin, incarnation_counter, incarnation_nonce, partition, settled::text, applied::text,
    ${beatColumns('beat')}
  FROM isthmus.position ORDER BY origin, incarnation_counter, incarnation_nonce, partition`,
};

const selectAhead: Statement = {
  name: 'isthmus_ahead',
  text: 'SELECT region, incarnation_counter, incarnation_nonce, partition, lsn::text FROM isthmus.ahead',
};

export const selectHorizon: Statement = {
  name: 'isthmus_horizon',
  text: 'SELECT region, incarnation_counter, incarnation_nonce, partition, lsn::text FROM isthmus.horizon',
};

/** After a BEGIN that makes all of them see one snapshot. */
export const standingCalls: readonly Call[] = [
  [selectOwn],
  [selectReached],
  [selectAhead],
  [selectHorizon],
  [selectLife],
  [selectAwaited],
  [selectWhole],
];

/** Of the answers to `standingCalls`. */
export function standingOf(answers: readonly Answer[]): Standing {
  const [own, reached, ahead, horizon, life, awaited, whole] = answers.map(({ rows }) => rows);
  const row = own?.[0];
  assert(row !== undefined && reached !== undefined, 'a standing has a row of its own');
  const beatLsn = nullableAt(row, 2, lsnAt);
  const lifeRow = life?.[0];
  return {
    settled: reached.map((each) => entryAt(each, 0)),
    applied: reached.map((each) => ({ ...entryAt(each, 0), lsn: lsnAt(each, 5) })),
    ahead: (ahead ?? []).map((each) => entryAt(each, 0)),
    horizon: (horizon ?? []).map((each) => entryAt(each, 0)),
    whole: (whole ?? []).map((each) => wholeAt(each, 0)),
    floorMs: numberAt(row, 5),
    insertLsn: lsnAt(row, 0),
    beat: beatLsn === null ? null : { lsn: beatLsn, atMs: numberAt(row, 3) },
    beats: settledBeats(countedOf(reached.map(settledBeatAt), awaited ?? [])),
    slot: lifeRow === undefined ? null : lifeAt(lifeRow),
    isEmpty: booleanAt(row, 4),
    refill: booleanAt(row, 6) ? 'emptied' : booleanAt(row, 7) ? 'securing' : 'none',
    readAtMs: numberAt(row, 1),
  };
}

function countedOf(rows: readonly SettledBeatRow[], awaited: readonly Row[]): readonly SettledBeatRow[] {
  const lives = awaited.map((row) => awaitedLifeAt(row, 0));
  return rows.filter(({ origin: region, incarnation }) => !isOneOf(lives, { region, incarnation }));
}

/** From a row of `selectReached`. */
function settledBeatAt(row: Row): SettledBeatRow {
  return { origin: regionAt(row, 0), incarnation: incarnationAt(row, 1), beat: beatAt(row, 6) };
}
