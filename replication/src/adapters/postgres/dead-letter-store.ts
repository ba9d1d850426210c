/**
 * The port `DeadLetterStore` on Postgres. A retry takes its locks in the order of an apply transaction, position first
 * and records last, so the two never wait for each other in a circle, and no applier settles past a letter that is
 * being tried.
 */
import { assert } from '../../errors.ts';
import { droppedAtOnce, keptClosedCount, keptClosedMs } from '../../letter-limits.ts';
import { maxStateBytes } from '../../transaction-limits.ts';
import type {
  DeadLetterPlace,
  DeadLetterStore,
  Fate,
  FateCount,
  GivingUp,
  OpenDeadLetter,
  DecideRetry,
  DueDeadLetter,
  RetryOutcome,
} from '../../ports/dead-letter-store.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import { LetterTrial, type Trial, type TriedLetter } from '../letter-trial.ts';
import { textArray, tidArray } from './binary-array.ts';
import { milliseconds } from './beat-figures.ts';
import { commitWith } from './commit.ts';
import type { Connections } from './connections.ts';
import { causeAt } from './dead-letters.ts';
import { noteCalls } from './incident-store.ts';
import { incarnationAt, regionAt } from './positions.ts';
import { LockPlan, PlaceholderHabit } from './record-locks.ts';
import { harmless, namedConflicts } from './remote-apply.ts';
import type { Row } from './row-values.ts';
import { bytesAt, lsnAt, nullableAt, numberAt, textAt } from './row-values.ts';
import type { Call, Session, Statement, Value } from './session.ts';
import { begin } from './session.ts';
import { formatLsn } from './wal-message.ts';

const placeColumns = 'origin, incarnation_counter, incarnation_nonce, partition, lsn, index';
const isPlace = `origin = $1 AND incarnation_counter = $2 AND incarnation_nonce = $3 AND partition = $4`;
const isLetter = `${isPlace} AND lsn = $5::pg_lsn AND index = $6 AND closed_at IS NULL`;

export const selectLetters: Statement = {
  name: 'isthmus_dead_letters',
  text: `SELECT origin, incarnation_counter, incarnation_nonce, partition, lsn::text, index, collection, key, cause,
    detail, octet_length(delta), ${milliseconds('opened_at')}, stamp_ms, ${milliseconds('given_up_at')}, reason
  FROM isthmus.dead_letter WHERE closed_at IS NULL
    AND (${placeColumns}) > ($1, $2, $3, $4, $5::pg_lsn, $6) ORDER BY ${placeColumns} LIMIT $7`,
};

export const selectDue: Statement = {
  name: 'isthmus_dead_letters_due',
  text: `SELECT origin, incarnation_counter, incarnation_nonce, partition, lsn::text, index, octet_length(delta)
  FROM isthmus.dead_letter WHERE closed_at IS NULL AND stamp_ms <= $1 ORDER BY stamp_ms, ${placeColumns} LIMIT $2`,
};

export const lockPosition: Statement = {
  name: 'isthmus_position_lock',
  text: `SELECT applied::text FROM isthmus.position WHERE ${isPlace} FOR NO KEY UPDATE`,
};

export const lockLetter: Statement = {
  name: 'isthmus_dead_letter_lock',
  text: `SELECT FROM isthmus.dead_letter WHERE ${isLetter} FOR NO KEY UPDATE`,
};

/** One look into the index for each: a join might read all letters of the partition for each of them. */
export const lockLetters: Statement = {
  name: 'isthmus_dead_letters_lock',
  text: `SELECT letter.* FROM unnest($5::text[]::pg_lsn[], $6::text[]::int[]) AS wanted (lsn, index),
  LATERAL (SELECT lsn::text, index, collection, key, delta, ctid::text FROM isthmus.dead_letter
    WHERE ${isPlace} AND dead_letter.lsn = wanted.lsn AND dead_letter.index = wanted.index AND closed_at IS NULL
    FOR NO KEY UPDATE) AS letter`,
};

/** Tuple ids hold still while this transaction has the rows locked. */
export const closeLetters: Statement = {
  name: 'isthmus_dead_letters_close',
  text: `UPDATE isthmus.dead_letter SET closed_at = clock_timestamp(), fate = NULL, delta = ''
  WHERE ctid = ANY ($1::tid[])`,
};

const keepLetter: Statement = {
  name: 'isthmus_dead_letter_keep',
  text: `UPDATE isthmus.dead_letter SET cause = $7, detail = left($8, 500), stamp_ms = $9 WHERE ${isLetter}`,
};

const giveUpLetter: Statement = {
  name: 'isthmus_dead_letter_give_up',
  text: `UPDATE isthmus.dead_letter SET given_up_at = coalesce(given_up_at, clock_timestamp()),
    reason = coalesce(reason, $7), fate = $8, closed_at = CASE WHEN $8 = 'lost' THEN clock_timestamp() END
  WHERE ${isLetter}`,
};

const countFates: Statement = {
  name: 'isthmus_dead_letters_fates',
  text: `SELECT origin, fate, count(*) FROM isthmus.dead_letter WHERE fate IS NOT NULL
  GROUP BY origin, fate ORDER BY origin, fate`,
};

const countClosed: Statement = {
  name: 'isthmus_dead_letters_closed',
  text: 'SELECT count(*) FROM isthmus.dead_letter WHERE closed_at IS NOT NULL',
};

/** What is closed is never changed, so its tuple id holds still. */
export const pruneLetters: Statement = {
  name: 'isthmus_dead_letters_prune',
  text: `DELETE FROM isthmus.dead_letter WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM isthmus.dead_letter WHERE closed_at < greatest(
      clock_timestamp() - interval '${keptClosedMs} milliseconds',
      (SELECT closed_at FROM isthmus.dead_letter WHERE closed_at IS NOT NULL
        ORDER BY closed_at DESC OFFSET ${keptClosedCount - 1} LIMIT 1))
    ORDER BY closed_at LIMIT ${droppedAtOnce}))`,
};

/** Where `oldest` is what is still open of a position's partition. */
export const reachedBeat = '(CASE WHEN oldest.lsn IS NULL THEN newest_beat ELSE oldest.beat_before END)';

/** Up to the oldest that is still open, and to the beat that had come before it. */
export const settleAfterClose: Statement = {
  name: 'isthmus_position_resettle',
  text: `UPDATE isthmus.position SET settled = greatest(settled, least(applied, oldest.lsn - 1)),
    beat = CASE WHEN ${reachedBeat}.number > coalesce((beat).number, -1) THEN ${reachedBeat} ELSE beat END
  FROM (SELECT) AS one LEFT JOIN LATERAL (SELECT letter.lsn, letter.beat_before FROM isthmus.dead_letter AS letter
    WHERE letter.origin = $1 AND letter.incarnation_counter = $2 AND letter.incarnation_nonce = $3
      AND letter.partition = $4 AND letter.closed_at IS NULL ORDER BY letter.lsn LIMIT 1) AS oldest ON true
  WHERE ${isPlace}`,
};

export class PostgresDeadLetterStore implements DeadLetterStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async list(query: {
    readonly after: DeadLetterPlace | null;
    readonly limit: number;
  }): Promise<readonly OpenDeadLetter[]> {
    const after = query.after === null ? ['', 0, 0, 0, '0/0', 0] : letterValues(query.after);
    const answer = await this.#connections.query(selectLetters, ...after, query.limit);
    return answer.rows.map(letterOf);
  }

  async due(stampMs: number, limit: number): Promise<readonly DueDeadLetter[]> {
    const answer = await this.#connections.query(selectDue, Math.floor(stampMs), limit);
    return answer.rows.map((row) => ({ ...placeOf(row), byteCount: numberAt(row, 6) }));
  }

  async retry(places: readonly DeadLetterPlace[], decide: DecideRetry): Promise<readonly RetryOutcome[]> {
    const [first] = places;
    if (first === undefined) return [];
    assert(
      places.every((place) => isSamePartition(place, first)),
      'letters that are tried together are of one partition',
    );
    try {
      return await this.#connections.transact((session) => retryIn(session, { first, places }, decide));
    } catch (error) {
      throw harmless(error);
    }
  }

  giveUp(place: DeadLetterPlace, how: GivingUp): Promise<'waiting' | 'lost' | 'gone'> {
    return this.#connections.transact((session) => giveUpIn(session, place, how));
  }

  async fates(): Promise<readonly FateCount[]> {
    const answer = await this.#connections.query(countFates);
    return answer.rows.map((row) => {
      return { origin: regionAt(row, 0), fate: fateAt(row, 1), count: numberAt(row, 2) };
    });
  }

  async countClosed(): Promise<number> {
    const { rows } = await this.#connections.query(countClosed);
    assert(rows[0] !== undefined, 'a count has one row');
    return numberAt(rows[0], 0);
  }

  async prune(): Promise<number> {
    const answer = await this.#connections.write((session) => session.query(pruneLetters));
    return answer.rowCount;
  }
}

async function giveUpIn(
  session: Session,
  place: DeadLetterPlace,
  { reason, isLossAccepted }: GivingUp,
): Promise<'waiting' | 'lost' | 'gone'> {
  const [, , found] = await session.pipeline([
    [begin],
    [lockPosition, ...partitionValues(place)],
    [lockLetter, ...letterValues(place)],
  ]);
  if (found?.rows[0] === undefined) {
    await session.rollback();
    return 'gone';
  }
  const fate = isLossAccepted ? 'lost' : 'waiting';
  await commitWith(session, {
    before: [
      [giveUpLetter, ...letterValues(place), reason, fate],
      [settleAfterClose, ...partitionValues(place)],
    ],
    after: [],
  });
  return fate;
}

const fates: readonly Fate[] = ['waiting', 'repaired', 'lost'];

function fateAt(row: Row, column: number): Fate {
  const text = textAt(row, column);
  const fate = fates.find((each) => each === text);
  assert(fate !== undefined, `no fate of a dead letter: ${text}`);
  return fate;
}

/** A letter that is tried, and where it lies. */
interface PlacedLetter extends TriedLetter {
  readonly place: DeadLetterPlace;
  readonly tuple: string;
}

async function retryIn(
  session: Session,
  { first, places }: { readonly first: DeadLetterPlace; readonly places: readonly DeadLetterPlace[] },
  decide: DecideRetry,
): Promise<readonly RetryOutcome[]> {
  const [, , found] = await session.pipeline([
    [begin],
    [lockPosition, ...partitionValues(first)],
    [lockLetters, ...lettersValues(first, places)],
  ]);
  const rows = new Map((found?.rows ?? []).map((row) => [`${textAt(row, 0)} ${numberAt(row, 1)}`, row]));
  const trial = new LetterTrial(
    places.map((place) => {
      const row = rows.get(`${formatLsn(place.lsn)} ${place.index}`);
      return row === undefined ? null : triedAt(row, place);
    }),
  );
  const plan = new LockPlan(trial.ids, new PlaceholderHabit());
  const mostBytes = trial.ids.length === 1 ? Infinity : maxStateBytes;
  const locked = await plan.read(session, await session.pipeline(plan.calls()), mostBytes);
  const tried = trial.run(locked.states, decide);
  if (tried.applied.length + tried.kept.length === 0) {
    await session.rollback();
    return tried.outcomes;
  }
  const stored = await locked.write(session, tried.writes);
  await commitWith(session, {
    before: [
      ...stored,
      ...endingsOf(tried),
      ...noteCalls(first.origin, namedConflicts(trial.ids, tried.conflicts)),
      [settleAfterClose, ...partitionValues(first)],
    ],
    after: [],
  });
  return tried.outcomes;
}

function triedAt(row: Row, place: DeadLetterPlace): PlacedLetter {
  return {
    place,
    collection: textAt(row, 2),
    key: textAt(row, 3),
    delta: bytesAt(row, 4),
    tuple: textAt(row, 5),
  };
}

function endingsOf({ applied, kept }: Trial<PlacedLetter>): readonly Call[] {
  const tuples = applied.map(({ tuple }) => tuple);
  const closed: readonly Call[] = tuples.length === 0 ? [] : [[closeLetters, tidArray(tuples)]];
  const keeping = kept.map(({ letter, why }): Call => {
    return [keepLetter, ...letterValues(letter.place), why.cause, why.detail, why.stampMs];
  });
  return [...closed, ...keeping];
}

function isSamePartition(a: DeadLetterPlace, b: DeadLetterPlace): boolean {
  return (
    a.origin === b.origin && a.partition === b.partition && sameIncarnation(a.incarnation, b.incarnation)
  );
}

function lettersValues(partition: DeadLetterPlace, places: readonly DeadLetterPlace[]): Value[] {
  return [
    ...partitionValues(partition),
    textArray(places.map(({ lsn }) => formatLsn(lsn))),
    textArray(places.map(({ index }) => `${index}`)),
  ];
}

function partitionValues({ origin, incarnation, partition }: DeadLetterPlace): Value[] {
  return [origin, incarnation.counter, incarnation.nonce, partition];
}

function letterValues(place: DeadLetterPlace): Value[] {
  return [...partitionValues(place), formatLsn(place.lsn), place.index];
}

function placeOf(row: Row): DeadLetterPlace {
  return {
    origin: regionAt(row, 0),
    incarnation: incarnationAt(row, 1),
    partition: numberAt(row, 3),
    lsn: lsnAt(row, 4),
    index: numberAt(row, 5),
  };
}

function letterOf(row: Row): OpenDeadLetter {
  return {
    ...placeOf(row),
    collection: textAt(row, 6),
    key: textAt(row, 7),
    cause: causeAt(row, 8),
    detail: textAt(row, 9),
    byteCount: numberAt(row, 10),
    openedAtMs: numberAt(row, 11),
    stampMs: nullableAt(row, 12, numberAt),
    givenUp:
      row[13] === null ? null : { sinceMs: numberAt(row, 13), reason: nullableAt(row, 14, textAt) ?? '' },
  };
}
