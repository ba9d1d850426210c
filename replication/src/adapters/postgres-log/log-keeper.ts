/**
 * Keeps a log within its limits: leaves a segment for the next one when it is full, and empties the oldest. Emptying
 * takes a table's whole lock, so it waits for a moment only: a peer that reads in the oldest segment puts it off to the
 * next turn and is never cut short, and nobody who writes or reads elsewhere waits for it. Turns are as far apart as
 * they may be rare, and one at a time.
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

/** Returns whether a segment was emptied. */
async function keep(session: Session, topic: Topic): Promise<boolean> {
  const { rows } = await session.query(selectSegments, topic.name);
  const states = rows.map((row): SegmentState => {
    return { segment: numberAt(row, 0), openedAtMs: numberAt(row, 1), sizeBytes: numberAt(row, 2) };
  });
  const [first] = rows;
  const current = states.at(-1);
  if (first === undefined || current === undefined) return false;
  const { empty, next } = retentionTurn(topic, states, numberAt(first, 3));
  if (next !== null) await session.query(leaveSegment, topic.name, current.segment, next);
  if (empty !== null) await emptySegment(session, empty);
  return empty !== null;
}

async function emptySegment(session: Session, segment: number): Promise<void> {
  assert(Number.isInteger(segment), 'a segment has a whole number');
  const truncate = `SET LOCAL lock_timeout = '200ms'; TRUNCATE isthmus.log_record_${segment}`;
  try {
    await session.query(begin);
    await session.query({ name: null, text: truncate });
    await session.query(forgetSegment, segment);
    await session.query(commit);
  } catch (error) {
    await session.rollback();
    throw error;
  }
}
