/**
 * Which beats may go. Kept are the last ten minutes, those before the newest one in the own log, and everything from the
 * oldest beat on that a peer or that log has covered: lag and RPO are measured against it. A crash takes the slot back to
 * what it has saved, and a relay that finds no count there begins a new era (0031), however long the server was away:
 * so the minutes before the newest published beat stay whatever the clock says. A peer that is away for long, or was never
 * heard, would keep all of them, so beats older than an hour are thinned to one a minute, and those older than 30 days go;
 * the figures then err towards more lag, never less. The newest, the newest counted, the newest published and each peer's
 * newest settled beat always stay.
 */
import type { Statement } from './session.ts';

const recent = '10 minutes';
const full = '1 hour';
const oldest = '30 days';
const beatsPerMinute = 240;
/** Bounds one statement after a long pause. */
const batchBeats = 20_000;

/** Parameters: the configured peers. */
export const pruneBeats: Statement = {
  name: 'isthmus_beat_prune',
  text: `WITH peer AS (
    SELECT wanted.peer FROM unnest($1::text[]) AS wanted (peer)
    UNION SELECT peer FROM isthmus.peer_progress
  ), logged AS (
    SELECT number, at FROM isthmus.beat WHERE published ORDER BY number DESC LIMIT 1
  ), recent AS (
    SELECT least(clock_timestamp(), (SELECT at FROM logged)) - interval '${recent}' AS since
  ), covered AS (
    SELECT coalesce(progress.settled_beat, 0) AS number FROM peer LEFT JOIN isthmus.peer_progress AS progress USING (peer)
    UNION ALL SELECT coalesce((SELECT number FROM logged), 0)
  ), kept AS (
    SELECT number FROM covered
    UNION ALL SELECT (SELECT max(number) FROM isthmus.beat)
    UNION ALL SELECT coalesce((SELECT max(number) FROM isthmus.beat WHERE count IS NOT NULL), 0)
  ), needed AS (
    SELECT least((SELECT min(number) FROM covered),
      (SELECT coalesce(min(number), (SELECT max(number) FROM isthmus.beat)) FROM isthmus.beat, recent
        WHERE at > since)) AS number
  )
  DELETE FROM isthmus.beat WHERE number = ANY (ARRAY(
    SELECT beat.number FROM isthmus.beat, needed, recent WHERE beat.number NOT IN (SELECT number FROM kept)
      AND (beat.at <= since OR beat.number > coalesce((SELECT number FROM logged), 0)) AND (
      beat.number < needed.number
      OR beat.at < clock_timestamp() - interval '${full}' AND beat.number % ${beatsPerMinute} <> 0
      OR beat.at < clock_timestamp() - interval '${oldest}')
    ORDER BY beat.number LIMIT ${batchBeats}))`,
};
