/**
 * The right to write the region's beats, and the writing (P2). Everything happens on the connection that holds the
 * lock, so a holder that lost it cannot write one more beat. A beat's xid is assigned after its `lsn` was read: a
 * first statement reads the insert position and keeps it for the transaction, a later one inserts. Its commit waits for
 * the disk. All of it is one round trip.
 */
import { untoldMs } from '../../age.ts';
import { assert } from '../../errors.ts';
import type { BeatHold } from '../../ports/beat-store.ts';
import type { BeatClock } from '../beat-clock.ts';
import { beatLock } from './advisory-keys.ts';
import { milliseconds } from './beat-figures.ts';
import { releaseHold, tryHold } from './advisory-hold.ts';
import { commitWith } from './commit.ts';
import type { Connections } from './connections.ts';
import { databaseUnavailable } from './postgres-error.ts';
import { numberAt } from './row-values.ts';
import type { Session, Statement } from './session.ts';
import { begin } from './session.ts';
import { beatPrefix } from './wal-message.ts';

const keepInsertLsn: Statement = {
  name: 'isthmus_beat_lsn',
  text: "SELECT set_config('isthmus.beat_lsn', pg_current_wal_insert_lsn()::text, true)",
};

const unsetBefore = `${milliseconds('before.at')} + before.set_back_ms`;
const unsetNow = `${milliseconds('now.at')} + before.set_back_ms`;

/**
 * The text is the one that `decodeBeat` reads. Where the clock, as if it had never been set back, shows less than at the
 * beat before or than `$1`, it was set back, and is taken to show `$2` then; where the beat before lies beyond that, `$3` more
 * than at that. Answers with what it shows so.
 */
export const insertBeat: Statement = {
  name: 'isthmus_beat_insert',
  text: `WITH beat AS (
    INSERT INTO isthmus.beat (number, lsn, xid, at, set_back_ms)
    SELECT coalesce(before.number, 0) + 1, current_setting('isthmus.beat_lsn')::pg_lsn, pg_current_xact_id(), now.at,
      coalesce(before.set_back_ms + CASE WHEN ${unsetNow} < greatest(${unsetBefore}, $1::double precision)
        THEN CASE WHEN ${unsetBefore} <= $2::double precision THEN $2::double precision
          ELSE ${unsetBefore} + coalesce($3::double precision, ${untoldMs}) END - (${unsetNow}) ELSE 0 END, 0)
    FROM (SELECT clock_timestamp() AS at) AS now
    LEFT JOIN LATERAL (SELECT number, at, set_back_ms FROM isthmus.beat ORDER BY number DESC LIMIT 1) AS before ON true
    RETURNING number, lsn, at, set_back_ms)
  SELECT pg_logical_emit_message(true, '${beatPrefix}',
    format('1 %s %s %s', number, lsn, extract(epoch FROM at) * 1000)), ${milliseconds('at')} + set_back_ms FROM beat`,
};

export class PostgresBeatHold implements BeatHold {
  readonly #session: Session;
  readonly #clock: BeatClock;
  #beating = false;
  #released = false;

  private constructor(session: Session, clock: BeatClock) {
    this.#session = session;
    this.#clock = clock;
  }

  /** `clock` is the process's own, and outlasts its holds. */
  static async tryTake(connections: Connections, clock: BeatClock): Promise<BeatHold | null> {
    const session = await tryHold(connections, beatLock);
    return session === null ? null : new PostgresBeatHold(session, clock);
  }

  async beat(): Promise<void> {
    assert(!this.#beating, 'a beat was asked for while one is being written');
    if (this.#released) throw databaseUnavailable('the hold on the beats was released');
    this.#beating = true;
    try {
      await this.#write();
    } catch (error) {
      await this.#session.rollback();
      throw databaseUnavailable('no beat was written', error);
    } finally {
      this.#beating = false;
    }
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await releaseHold(this.#session, beatLock);
  }

  #write(): Promise<void> {
    return this.#clock.beat(async ({ leastMs, mostMs, passedMs }) => {
      const answers = await commitWith(this.#session, {
        before: [[begin], [keepInsertLsn], [insertBeat, leastMs, mostMs, passedMs]],
        after: [],
      });
      return numberAt(answers.at(-1)?.rows[0] ?? [], 1);
    });
  }
}
