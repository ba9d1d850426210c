/**
 * Asks the log in a peer's database, over one connection, through the two functions that its tables come with. A
 * question for records waits in the server until there is something, so that a quiet log costs a question each half a
 * second and a record crosses the link at once. It keeps no place and retries nothing; after any rejection it is closed
 * and another one opened. A log of another region, or of another partition count, is refused.
 */
import { malformed } from '../../bytes.ts';
import type { FeedRecord } from '../../ports/change-feed.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { CopyRow } from './copy-rows.ts';
import { enoughBytes, keptBytes } from '../batch-queue.ts';
import { LogConnection, unavailable } from './log-connection.ts';
import { mostAnswerBytes } from './answer-size.ts';
import type { LogConnectionOptions } from './log-connection.ts';
import { fromStored } from './record-bytes.ts';
import type { TopicName } from './topic.ts';

export interface ReaderOptions extends LogConnectionOptions {
  readonly origin: RegionId;
  readonly topic: TopicName;
  readonly partitionCount: number;
}

export interface Edges {
  /** First offset of the topic that the log may hold. */
  readonly beginning: bigint;
  /** After the topic's last record. */
  readonly end: bigint;
  /** After the last record of the partition that was asked for. */
  readonly partitionEnd: bigint;
}

export interface Wanted {
  /** Where to look from. */
  readonly scanFrom: bigint;
  /** For each partition the least offset that is to be handed out. */
  readonly offsets: readonly bigint[];
  /** Of the answer; exceeded by no more than one record. */
  readonly answerBytes?: number;
}

export interface PlacedRecord extends FeedRecord {
  readonly partition: number;
}

export type Found =
  | { readonly kind: 'records'; readonly records: readonly PlacedRecord[]; readonly scannedTo: bigint }
  /** Nothing can lie where it was to look; the log goes on there. */
  | { readonly kind: 'nothing-there'; readonly resumesAt: bigint };

/** How long the server holds a question that has no answer yet, and how rarely it may look in the end. */
const waitMs = 500;
const maxPauseMs: Readonly<Record<TopicName, number>> = { changes: 10, progress: 40, control: 100 };
const recordKind = 0;
const scannedKind = 1;

export class LogReader {
  readonly #options: ReaderOptions;
  readonly #connection: LogConnection;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#connection = new LogConnection(options);
  }

  /** Connects; rejects with `log-unavailable`, as everything here, also for an absent topic. */
  async open(): Promise<Edges> {
    await this.#connection.connect();
    return this.edges(0);
  }

  async edges(partition: number): Promise<Edges> {
    const { topic, origin, partitionCount } = this.#options;
    const columns = 'region, partition_count, first_offset, next_offset, partition_end';
    const [row] = await this.#ask(`SELECT ${columns} FROM isthmus.log_edges('${topic}', ${partition})`);
    if (row === undefined) throw unavailable(`there is no topic ${topic} yet`);
    const region = columnOf(row, 0).toString('utf8');
    if (region !== origin) throw unavailable(`it is the log of region ${region} and not of ${origin}`);
    const found = columnOf(row, 1).readInt32BE();
    if (found !== partitionCount)
      throw unavailable(`the topic ${topic} has ${found} partitions and not ${partitionCount}`);
    const [beginning, end, partitionEnd] = [2, 3, 4].map((column) => bigintOf(row, column));
    if (beginning === undefined || end === undefined || partitionEnd === undefined)
      throw malformed('a row with too few columns');
    return { beginning, end, partitionEnd };
  }

  /** Waits until the log has something at the place to look from, at most half a second. */
  async read({ scanFrom, offsets, answerBytes = mostAnswerBytes }: Wanted): Promise<Found> {
    const { topic } = this.#options;
    const place = `'${topic}', '{${offsets.join(',')}}', ${scanFrom}`;
    const limits = `${answerBytes}, ${waitMs}, ${maxPauseMs[topic]}`;
    const columns = 'kind, log_offset, partition, compressed, bytes';
    const rows = await this.#ask(`SELECT ${columns} FROM isthmus.read_log(${place}, ${limits})`);
    const last = rows.at(-1);
    if (last === undefined) throw unavailable(`the topic ${topic} is gone`);
    if (kindOf(last) === recordKind) throw unavailable('an answer without its end');
    const at = bigintOf(last, 1);
    if (kindOf(last) !== scannedKind) return { kind: 'nothing-there', resumesAt: at };
    return this.#recordsOf(rows.slice(0, -1), at);
  }

  /** In the order of the log, until there is enough. */
  async #recordsOf(rows: readonly CopyRow[], end: bigint): Promise<Found> {
    const records: PlacedRecord[] = [];
    let bytes = 0;
    for (const row of rows) {
      if (bytes >= enoughBytes) return { kind: 'records', records, scannedTo: bigintOf(row, 1) };
      const record = await this.#recordOf(row);
      records.push(record);
      bytes += keptBytes(record);
    }
    return { kind: 'records', records, scannedTo: end };
  }

  close(): void {
    this.#connection.destroy();
  }

  async #recordOf(row: CopyRow): Promise<PlacedRecord> {
    const partition = columnOf(row, 2).readInt16BE();
    if (partition < 0 || partition >= this.#options.partitionCount)
      throw unavailable(`a record of partition ${partition}`);
    const stored = { compressed: columnOf(row, 3)[0] === 1, bytes: columnOf(row, 4) };
    return { partition, offset: bigintOf(row, 1), bytes: await fromStored(stored) };
  }

  async #ask(select: string): Promise<readonly CopyRow[]> {
    try {
      return await this.#connection.copy(select);
    } catch (error) {
      throw unavailable(error);
    }
  }
}

function kindOf(row: CopyRow): number {
  return columnOf(row, 0).readInt16BE();
}

function bigintOf(row: CopyRow, column: number): bigint {
  return columnOf(row, column).readBigInt64BE();
}

function columnOf(row: CopyRow, column: number): Buffer {
  const value = row[column] ?? null;
  if (value === null) throw malformed(`an answer of the log has nothing in column ${column}`);
  return value;
}
