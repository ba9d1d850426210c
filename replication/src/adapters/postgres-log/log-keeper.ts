/**
 * Keeps a log within its limits: leaves a segment for the next one when it is full, and empties the oldest. That one is let
 * go of first, so that nobody begins to read in it any more. Emptying takes a table's whole lock, so it waits for a moment
 * only: a peer that still reads there puts it off to the next turn and is never cut short, and nobody who writes or reads
 * elsewhere waits for it. Without the first step peers that read by turns would keep a segment for ever. Turns are as far
 * apart as they may be rare, and one at a time.
 */
import { performance } from 'node:perf_hooks';
import { ReplicationError, assert } from '../../errors.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Connections } from '../postgres/connections.ts';
import { numberAt } from '../postgres/row-values.ts';
import { begin, commit } from '../postgres/session.ts';
import type { Session, Statement } from '../postgres/session.ts';
import { retentionTurn } from './retention.ts';
import type { SegmentState } from './retention.ts';
import type { Topic } from './topic.ts';

const turnIntervalMs = 1_000;

const selectSegments: Statement = {
  name: 'isthmus_log_segments',
  text: `SELECT segment, extract(epoch FROM opened_at)::float8 * 1000,
    pg_total_relation_size(format('isthmus.log_record_%s', segment)::regclass)::float8,
    extract(epoch FROM clock_timestamp())::float8 * 1000
  FROM isthmus.log_segment WHERE topic = $1 ORDER BY first_offset`,
};

/** Only from where the decision was made; the counter's lock orders it among the appends. */
const leaveSegment: Statement = {
  name: 'isthmus_log_leave',
  text: `WITH topic AS (UPDATE isthmus.log_topic SET segment = $3 WHERE name = $1 AND segment = $2
    RETURNING name, next_offset)
  INSERT INTO isthmus.log_segment (segment, topic, first_offset) SELECT $3, name, next_offset FROM topic`,
};

const forgetSegment: Statement = {
  name: 'isthmus_log_forget',
  text: 'DELETE FROM isthmus.log_segment WHERE segment = $1',
};

/** Of the segments of a topic those that were let go of and hold something yet. */
const selectUnemptied: Statement = {
  name: 'isthmus_log_unemptied',
  text: `SELECT segment FROM unnest($1::smallint[]) AS ours (segment)
  WHERE pg_relation_size(format('isthmus.log_record_%s', segment)::regclass) > 0
    AND NOT EXISTS (SELECT FROM isthmus.log_segment AS held WHERE held.segment = ours.segment)
  ORDER BY segment`,
};

export class LogKeeper {
  readonly #connections: Connections;
  readonly #topics: readonly Topic[];
  readonly #logger: Logger;
  #turn: Promise<void> | null = null;
  #nextTurnAtMs = 0;

  constructor(connections: Connections, topics: readonly Topic[], logger: Logger) {
    this.#connections = connections;
    this.#topics = topics;
    this.#logger = logger;
  }

  /** To be called after each append; begins a turn where one is due. */
  appended(): void {
    if (this.#turn !== null || performance.now() < this.#nextTurnAtMs) return;
    this.#nextTurnAtMs = performance.now() + turnIntervalMs;
    this.#turn = this.#run().finally(() => {
      this.#turn = null;
    });
  }

  /** Resolves when no turn is under way. */
  async settle(): Promise<void> {
    await this.#turn;
  }

  async #run(): Promise<void> {
    for (const topic of this.#topics) {
      try {
        await this.#connections.write((session) => keepAll(session, topic));
      } catch (error) {
        if (!(error instanceof ReplicationError)) throw error;
        this.#logger.warn(
          { err: error, topic: topic.name },
          'a segment of the log was not emptied or left; the next turn does it',
        );
      }
    }
  }
}

/** What was written since the last turn may take more than one segment to make up for. */
async function keepAll(session: Session, topic: Topic): Promise<void> {
  for (let round = 0; round < topic.segments.length; round++) {
    const hasEmptied = await keep(session, topic);
    if (!hasEmptied) return;
  }
}

/** Returns whether a segment was let go of and emptied. */
async function keep(session: Session, topic: Topic): Promise<boolean> {
  const before = await unemptiedOf(session, topic);
  const { rows } = await session.query(selectSegments, topic.name);
  const states = rows.map((row): SegmentState => {
    return { segment: numberAt(row, 0), openedAtMs: numberAt(row, 1), sizeBytes: numberAt(row, 2) };
  });
  const [first] = rows;
  const current = states.at(-1);
  if (first === undefined || current === undefined) return false;
  const { empty, next } = retentionTurn(topic, { states, unemptied: before }, numberAt(first, 3));
  if (next !== null) await session.query(leaveSegment, topic.name, current.segment, next);
  if (empty !== null) await session.query(forgetSegment, empty);
  const failures: ReplicationError[] = [];
  for (const segment of empty === null ? before : [...before, empty]) {
    const failure = await emptySegment(session, segment).catch(operating);
    if (failure !== null) failures.push(failure);
  }
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return empty !== null;
}

async function unemptiedOf(session: Session, { segments }: Topic): Promise<readonly number[]> {
  // What is kept for ever is one segment, of which nothing is ever let go.
  if (segments.length === 1) return [];
  const { rows } = await session.query(selectUnemptied, `{${segments.join(',')}}`);
  return rows.map((row) => numberAt(row, 0));
}

/** Two processes may come to it at once, and the first may write there again by the time the second has its lock. */
async function emptySegment(session: Session, segment: number): Promise<null> {
  assert(Number.isInteger(segment), 'a segment has a whole number');
  const table = `isthmus.log_record_${segment}`;
  const truncate = `SET LOCAL lock_timeout = '200ms'; DO $$ BEGIN
    LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM isthmus.log_segment AS held WHERE held.segment = ${segment}) THEN
      TRUNCATE ${table};
    END IF;
  END $$`;
  try {
    await session.query(begin);
    await session.query({ name: null, text: truncate });
    await session.query(commit);
    return null;
  } catch (error) {
    await session.rollback();
    throw error;
  }
}

function operating(reason: unknown): ReplicationError {
  if (reason instanceof ReplicationError) return reason;
  throw reason;
}
