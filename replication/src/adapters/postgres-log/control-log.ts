/**
 * The port `ControlLog` on a log in the region's own database. It appends over connections that serve reads, because a
 * claim is made by a database that is not proven to be its own past yet, and which may write nothing else (P9). A copy
 * of the database is a copy of this log too: two copies do not meet here, and only peers can tell them apart.
 */
import type { ControlLog } from '../../ports/control-log.ts';
import type { Incarnation, RegionId } from '../../ports/identity.ts';
import { Connections } from '../postgres/connections.ts';
import { appendCall, asked, requireHeld } from './append.ts';
import { defaultStallTimeoutMs } from './log-connection.ts';
import { type Edges, LogReader } from './log-reader.ts';
import { controlSegment, createTopic } from './topic.ts';

export interface PostgresControlOptions {
  readonly region: RegionId;
  readonly connectionString: string;
  readonly incarnation: Incarnation;
}

const topic = 'control';

export class PostgresControlLog implements ControlLog {
  readonly #options: PostgresControlOptions;
  readonly #connections: Connections;

  constructor(options: PostgresControlOptions) {
    const { connectionString, incarnation } = options;
    this.#options = options;
    this.#connections = new Connections(
      { connectionString, maxConnections: 1, trustsRestarts: false },
      incarnation,
    );
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#make();
    const records = [{ partition: 0, bytes }];
    const call = await appendCall(topic, records);
    const held = await asked(() => this.#connections.query(...call));
    requireHeld(topic, records, held.rowCount);
  }

  async read(counts: (bytes: Uint8Array) => boolean = () => true): Promise<readonly Uint8Array[]> {
    await this.#make();
    const { region: origin, connectionString } = this.#options;
    const stallTimeoutMs = defaultStallTimeoutMs;
    const reader = new LogReader({ topic, origin, partitionCount: 1, connectionString, stallTimeoutMs });
    try {
      const { beginning, end } = await reader.open();
      const held: Uint8Array[] = [];
      await readAll(reader, { beginning, end }, (bytes) => {
        if (counts(bytes)) held.push(bytes);
      });
      return held;
    } finally {
      reader.close();
    }
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  /**
   * The sink makes the topics once the database is proven. One that was set back to before it ever was has none, and can
   * only go on under a name that is claimed here.
   */
  async #make(): Promise<void> {
    const { region } = this.#options;
    await asked(() => this.#connections.query(createTopic, topic, region, 1, controlSegment));
  }
}

async function readAll(
  reader: LogReader,
  { beginning, end }: Pick<Edges, 'beginning' | 'end'>,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  for (let scanFrom = beginning; scanFrom < end; ) {
    const found = await reader.read({ scanFrom, offsets: [scanFrom] });
    if (found.kind === 'records') for (const { bytes } of found.records) take(bytes);
    scanFrom = found.kind === 'records' ? found.scannedTo : found.resumesAt;
  }
}
