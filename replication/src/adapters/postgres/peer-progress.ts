/**
 * What peers told about our changes, and their newest beats that arrived here. A row belongs to one life of the peer
 * and one of ours: where either has a new incarnation, what is told replaces what was stored, also by less (P7).
 * Within one pair of lives nothing goes back, whatever order messages come in, but that a peer may say later that it has
 * settled no beat: it awaits our past then (P9). What echoes an older beat was told before; our clock, which may be set back,
 * is not asked.
 */
import type { ClockOffset, EarlierOffset, HeardBeat, PeerProgress } from '../../ports/beat-store.ts';
import type { Incarnation } from '../../ports/identity.ts';
import { assert } from '../../errors.ts';
import { beatAt, beatColumns, beatFrom, beatValues } from './beat-columns.ts';
import { isOfPast } from './beat-figures.ts';
import { incarnationAt, regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { nullableAt, numberAt, textAt } from './row-values.ts';
import type { Call, Statement } from './session.ts';
import { formatLsn, parseLsn } from './wal-message.ts';

const sameLives = `(old.incarnation_counter, old.incarnation_nonce, old.own_counter, old.own_nonce)
  = (excluded.incarnation_counter, excluded.incarnation_nonce, excluded.own_counter, excluded.own_nonce)`;

const kept = (column: string, merged: string): string =>
  `${column} = CASE WHEN ${sameLives} THEN ${merged} ELSE excluded.${column} END`;

const keptGreatest = (column: string): string => kept(column, `greatest(old.${column}, excluded.${column})`);

/** Words of an older life of the peer come too late and change nothing. */
const upsertProgress: Statement = {
  name: 'isthmus_progress_upsert',
  text: `INSERT INTO isthmus.peer_progress AS old (peer, incarnation_counter, incarnation_nonce, own_counter, own_nonce,
    settled, settled_beat, echoed_beat, heard_at_ms, clock_offset, earlier_offsets_ms, earlier_until_beats, published_count)
  VALUES ($1, $2, $3, $4, $5, $6::text[]::pg_lsn[], $7, $8, $9, CASE WHEN $10::double precision IS NULL THEN NULL
    ELSE ROW($10::double precision, $11::double precision, $12::double precision)::isthmus.clock_offset END,
    $13::text[]::double precision[], $14::text[]::bigint[], $15)
  ON CONFLICT (peer) DO UPDATE SET
    ${kept(
      'settled',
      `(SELECT array_agg(greatest(before, told) ORDER BY place)
      FROM unnest(old.settled, excluded.settled) WITH ORDINALITY AS partition (before, told, place))`,
    )},
    ${kept(
      'settled_beat',
      `CASE WHEN excluded.echoed_beat < old.echoed_beat AND old.settled_beat IS NULL THEN NULL
        WHEN excluded.echoed_beat < old.echoed_beat OR excluded.settled_beat IS NOT NULL
          THEN greatest(old.settled_beat, excluded.settled_beat) END`,
    )},
    ${keptGreatest('echoed_beat')},
    ${kept('heard_at_ms', 'CASE WHEN excluded.echoed_beat < old.echoed_beat THEN old.heard_at_ms ELSE excluded.heard_at_ms END')},
    ${kept(
      'published_count',
      `CASE WHEN excluded.published_count IS NULL THEN NULL
        ELSE greatest(old.published_count, excluded.published_count) END`,
    )},
    ${kept('clock_offset', 'coalesce(excluded.clock_offset, old.clock_offset)')},
    earlier_offsets_ms = excluded.earlier_offsets_ms, earlier_until_beats = excluded.earlier_until_beats,
    incarnation_counter = excluded.incarnation_counter, incarnation_nonce = excluded.incarnation_nonce,
    own_counter = excluded.own_counter, own_nonce = excluded.own_nonce
  WHERE old.incarnation_counter <= excluded.incarnation_counter`,
};

export const selectProgress: Statement = {
  name: 'isthmus_progress',
  text: `SELECT peer, incarnation_counter, incarnation_nonce, CASE WHEN NOT past.is THEN settled::text[]::text END,
    CASE WHEN NOT past.is THEN settled_beat END, echoed_beat, heard_at_ms,
    (clock_offset).offset_ms, (clock_offset).error_ms, (clock_offset).measured_at_ms,
    earlier_offsets_ms::text, earlier_until_beats::text, published_count
  FROM isthmus.peer_progress AS progress, LATERAL (SELECT ${isOfPast('progress')} AS is) AS past
  WHERE own_counter = $1 AND own_nonce = $2 ORDER BY peer`,
};

/** Writes also where nothing newer was heard, so that its commit is flushed. */
const upsertHeard: Statement = {
  name: 'isthmus_heard_upsert',
  text: `INSERT INTO isthmus.heard AS old (origin, incarnation_counter, incarnation_nonce, received_at_ms, beat)
  VALUES ($1, $2, $3, $4, ${beatFrom(5)})
  ON CONFLICT (origin) DO UPDATE SET
    (incarnation_counter, incarnation_nonce, received_at_ms, beat) = (SELECT counter, nonce, received_at_ms, beat FROM (VALUES
      (old.incarnation_counter, old.incarnation_nonce, old.received_at_ms, old.beat, false),
      (excluded.incarnation_counter, excluded.incarnation_nonce, excluded.received_at_ms, excluded.beat, true)
    ) AS choice (counter, nonce, received_at_ms, beat, is_new) WHERE is_new = NOT (
      (old.incarnation_counter, old.incarnation_nonce) = (excluded.incarnation_counter, excluded.incarnation_nonce)
        AND (old.beat).number >= (excluded.beat).number
      OR old.incarnation_counter > excluded.incarnation_counter))`,
};

export const selectHeard: Statement = {
  name: 'isthmus_heard',
  text: `SELECT origin, incarnation_counter, incarnation_nonce, received_at_ms, ${beatColumns('beat')}
  FROM isthmus.heard ORDER BY origin`,
};

export function storeProgress(own: Incarnation, progress: PeerProgress): Call {
  const { peerIncarnation, settled, clockOffset, earlierOffsets } = progress;
  return [
    upsertProgress,
    progress.peer,
    peerIncarnation.counter,
    peerIncarnation.nonce,
    own.counter,
    own.nonce,
    settled === null ? null : `{${settled.map(formatLsn).join(',')}}`,
    progress.settledBeat,
    progress.echoedBeat,
    progress.heardAtMs,
    clockOffset?.offsetMs ?? null,
    clockOffset?.errorMs ?? null,
    clockOffset?.measuredAtMs ?? null,
    `{${earlierOffsets.map(({ offsetMs }) => offsetMs).join(',')}}`,
    `{${earlierOffsets.map(({ untilBeat }) => untilBeat).join(',')}}`,
    progress.publishedCount,
  ];
}

export function progressOf(row: Row): PeerProgress {
  return {
    peer: regionAt(row, 0),
    peerIncarnation: incarnationAt(row, 1),
    settled: nullableAt(row, 3, lsnsAt),
    settledBeat: nullableAt(row, 4, numberAt),
    echoedBeat: nullableAt(row, 5, numberAt),
    heardAtMs: numberAt(row, 6),
    publishedCount: nullableAt(row, 12, numberAt),
    clockOffset: nullableAt(row, 7, offsetAt),
    earlierOffsets: earlierOffsetsAt(row, 10),
  };
}

export function storeHeardBeat(heard: HeardBeat): Call {
  const { counter, nonce } = heard.incarnation;
  return [upsertHeard, heard.origin, counter, nonce, heard.receivedAtMs, ...beatValues(heard.beat)];
}

export function heardOf(row: Row): HeardBeat {
  const beat = beatAt(row, 4);
  assert(beat !== null, 'a heard beat without a number');
  return {
    origin: regionAt(row, 0),
    incarnation: incarnationAt(row, 1),
    receivedAtMs: numberAt(row, 3),
    beat,
  };
}

function lsnsAt(row: Row, column: number): readonly bigint[] {
  return listAt(row, column).map(parseLsn);
}

function listAt(row: Row, column: number): readonly string[] {
  const list = textAt(row, column).slice(1, -1);
  return list === '' ? [] : list.split(',');
}

/** Two arrays of one length: a constraint of the table. */
function earlierOffsetsAt(row: Row, first: number): readonly EarlierOffset[] {
  const beats = listAt(row, first + 1).map(Number);
  return listAt(row, first).flatMap((offset, index) => {
    const untilBeat = beats[index];
    return untilBeat === undefined ? [] : [{ offsetMs: Number(offset), untilBeat }];
  });
}

function offsetAt(row: Row, first: number): ClockOffset {
  return {
    offsetMs: numberAt(row, first),
    errorMs: numberAt(row, first + 1),
    measuredAtMs: numberAt(row, first + 2),
  };
}
