/**
 * The change sink over the region's own database: the same records that Kafka would hold, in tables that peers read.
 * An append is one statement and one synchronous commit. Offsets come from the topic's counter under its row's lock, so
 * they are without holes in the order of commits, also should two relays append at once. Preparing creates what is
 * absent and never alters a topic that exists: another partition count there means another incarnation's layout, which
 * nobody may write into (P2). What it appends holds no logical message, so the relay never meets its own records again.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { ChangeSink, OutgoingRecord } from '../../ports/change-sink.ts';
import type { Incarnation, RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import { Connections } from '../postgres/connections.ts';
import { numberAt } from '../postgres/row-values.ts';
import type { Session, Statement } from '../postgres/session.ts';
import { appendCall, asked, requireHeld } from './append.ts';
import { LogKeeper } from './log-keeper.ts';
import { ensureReader, readerRole } from './reader-role.ts';
import { ReaderWatch, defaultReaderBounds } from './reader-watch.ts';
import type { ReaderBounds } from './reader-watch.ts';
import { createTopic, defaultRetention, topicsOf } from './topic.ts';
import type { Retention, Topic, TopicName } from './topic.ts';

export interface ChangeSinkOptions {
  readonly region: RegionId;
  readonly connectionString: string;
  /** Of the database; on a connection to another one nothing is appended. */
  readonly incarnation: Incarnation;
  /** For the role that peers read with; `null`: that role is somebody else's business. */
  readonly readerPassword: string | null;
  /** Whether a server that was started anew is taken for the same one: nobody else could tell. */
  readonly trustsRestarts: boolean;
  readonly logger: Logger;
  readonly retention?: Retention;
  readonly readerBounds?: ReaderBounds;
}

/** Changes, progress, the keeper and the watch over readers have one each. */
const maxConnections = 4;

const selectPartitionCount: Statement = {
  name: 'isthmus_log_partition_count',
  text: `SELECT partition_count FROM isthmus.log_topic WHERE name = 'changes'`,
};

export class PostgresLogSink implements ChangeSink {
  readonly #options: ChangeSinkOptions;
  readonly #connections: Connections;
  readonly #topics: readonly Topic[];
  readonly #keeper: LogKeeper;
  readonly #readers: ReaderWatch;
  #closed = false;

  constructor(options: ChangeSinkOptions) {
    const { connectionString, incarnation, logger } = options;
    this.#options = options;
    this.#connections = new Connections(
      { connectionString, maxConnections, trustsRestarts: options.trustsRestarts },
      incarnation,
    );
    this.#topics = topicsOf(options.retention ?? defaultRetention);
    this.#keeper = new LogKeeper(this.#connections, this.#topics, logger);
    const { region, readerBounds: bounds = defaultReaderBounds } = options;
    this.#readers = new ReaderWatch(this.#connections, { role: readerRole(region), logger, bounds });
  }

  async prepare(partitionCount: number): Promise<void> {
    const found = await asked(() =>
      this.#connections.write((session) => this.#create(session, partitionCount)),
    );
    if (found !== partitionCount) throw otherCount(found, partitionCount);
  }

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#append('changes', records);
  }

  publishProgress(bytes: Uint8Array): Promise<void> {
    return this.#append('progress', [{ partition: 0, bytes }]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#readers.close();
    await this.#keeper.settle();
    await this.#connections.close();
  }

  /** Returns the partition count of the changes. */
  async #create(session: Session, partitionCount: number): Promise<number> {
    const { region, readerPassword } = this.#options;
    for (const { name, segments } of this.#topics) {
      const count = name === 'changes' ? partitionCount : 1;
      await session.query(createTopic, name, region, count, segments[0] ?? 0);
    }
    const may = await ensureReader(session, region, readerPassword);
    if (may.length > 0)
      this.#options.logger.warn(
        { role: readerRole(region), may },
        'the role that peers read the log with may do more than read, because our own role may not take it away',
      );
    const { rows } = await session.query(selectPartitionCount);
    return numberAt(rows[0] ?? [], 0);
  }

  async #append(topic: TopicName, records: readonly OutgoingRecord[]): Promise<void> {
    assert(!this.#closed, 'nothing is appended after close');
    const call = await appendCall(topic, records);
    const held = await asked(() => this.#connections.write((session) => session.query(...call)));
    requireHeld(topic, records, held.rowCount);
    this.#keeper.appended();
  }
}

function otherCount(found: number, wanted: number): ReplicationError {
  const detail = `the topic changes has ${found} partitions and not ${wanted}`;
  return new ReplicationError('partition-count-mismatch', detail, { retriable: false });
}
