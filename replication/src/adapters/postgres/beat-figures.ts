/**
 * The figures of P7 in SQL, each read in one statement. `k` is the newest beat that a peer has settled in all
 * partitions (where it was pruned, the next older one), `j` the newest beat that the relay counted with the same
 * number of changes before it: nothing was written between the two, so the peer holds everything up to `j`.
 */
import type { Beat } from '../../ports/change.ts';
import type { OwnBeats, RpoFigures } from '../../ports/beat-store.ts';
import { regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { lsnAt, nullableAt, numberAt } from './row-values.ts';
import type { Statement } from './session.ts';

/** Milliseconds since 1970 of a timestamp, computed without rounding before the last step. */
export function milliseconds(timestamp: string): string {
  return `(extract(epoch FROM ${timestamp}) * 1000)::double precision`;
}

const columns = (beat: string, atMs: string): string =>
  `${beat}.number, ${beat}.lsn::text, ${atMs}, ${beat}.count, ${beat}.end_lsn::text`;

/** As if the clock had never been set back. */
const unsetMs = (beat: string): string => `${milliseconds(`${beat}.at`)} + ${beat}.set_back_ms`;

/** `j` for a beat, the beat itself where it was not counted, by the clock as it goes now. */
const coveredUntil = (beat: string): string => `greatest(${unsetMs(beat)},
    (SELECT ${unsetMs('j')} FROM isthmus.beat AS j WHERE j.count = ${beat}.count ORDER BY j.number DESC LIMIT 1))
    - (SELECT set_back_ms FROM isthmus.beat ORDER BY number DESC LIMIT 1)`;

/** What a peer told in a life before the one that it is known under here: what it had settled then it may have lost (P9). */
export const isOfPast = (progress: string): string => `EXISTS (SELECT FROM isthmus.position
    WHERE origin = ${progress}.peer AND position.incarnation_counter > ${progress}.incarnation_counter)`;

/**
 * What the slot had not read when it was lost is in no log, so beats of a later slot speak for the log only once a peer
 * has settled beyond where that slot began, and not before that place is known. So it is with what lives before this one
 * had not published; a peer that tells a beat as settled has that. Parameters: own incarnation's counter and nonce.
 */
const heldThrough = `coalesce((SELECT min(from_lsn) FROM isthmus.slot_life AS life
    WHERE (number > 1 OR $1::bigint > 1) AND NOT EXISTS (
    SELECT FROM isthmus.peer_progress AS progress WHERE life.made AND own_counter = $1 AND own_nonce = $2
      AND cardinality(settled) > 0 AND life.from_lsn <= ALL (settled)
      AND (number > 1 OR settled_beat IS NOT NULL) AND NOT ${isOfPast('progress')}
      AND NOT EXISTS (SELECT FROM isthmus.retired WHERE retired.region = progress.peer))), 'FFFFFFFF/FFFFFFFF')`;

export const selectOwnBeats: Statement = {
  name: 'isthmus_own_beats',
  text: `SELECT ${columns('newest', milliseconds('newest.at'))},
    ${columns('counted', `${unsetMs('counted')} - newest.set_back_ms`)}, ${coveredUntil('logged')}, logged.count
  FROM (SELECT) AS one
  LEFT JOIN LATERAL (SELECT * FROM isthmus.beat ORDER BY number DESC LIMIT 1) AS newest ON true
  LEFT JOIN LATERAL (SELECT * FROM isthmus.beat WHERE count IS NOT NULL
    ORDER BY count DESC, number DESC LIMIT 1) AS counted ON true
  LEFT JOIN LATERAL (SELECT * FROM isthmus.beat WHERE published AND end_lsn <= ${heldThrough}
    ORDER BY number DESC LIMIT 1) AS logged ON true`,
};

/** Parameters: the configured peers, own incarnation's counter and nonce. */
export const selectRpoFigures: Statement = {
  name: 'isthmus_rpo_figures',
  text: `SELECT peer, ${coveredUntil('k')}, k.count FROM (
    SELECT wanted.peer FROM unnest($1::text[]) AS wanted (peer)
    UNION SELECT peer FROM isthmus.peer_progress WHERE own_counter = $2 AND own_nonce = $3) AS peers
  LEFT JOIN isthmus.peer_progress AS progress USING (peer)
  LEFT JOIN LATERAL (SELECT * FROM isthmus.beat WHERE number <= progress.settled_beat
    AND progress.own_counter = $2 AND progress.own_nonce = $3 AND NOT ${isOfPast('progress')} ORDER BY number DESC LIMIT 1) AS k ON true
  ORDER BY peer`,
};

export function ownBeatsOf(row: Row): OwnBeats {
  const newest = row[0] === null ? null : beatOf(row, 0);
  const counted = row[5] === null ? null : beatOf(row, 5);
  return {
    newest,
    newestCounted: counted && { ...counted, count: numberAt(row, 8), end: lsnAt(row, 9) },
    logCoveredAtMs: nullableAt(row, 10, numberAt),
    logCount: nullableAt(row, 11, numberAt),
  };
}

export function rpoFiguresOf(row: Row): RpoFigures {
  return {
    peer: regionAt(row, 0),
    coveredAtMs: nullableAt(row, 1, numberAt),
    settledCount: nullableAt(row, 2, numberAt),
  };
}

function beatOf(row: Row, first: number): Beat {
  return { number: numberAt(row, first), lsn: lsnAt(row, first + 1), atMs: numberAt(row, first + 2) };
}
