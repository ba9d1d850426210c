/**
 * The port `ControlLog` on the region's own Kafka: one partition, so the order of offsets is the order of claims. Each
 * reading takes a connection of its own, which is left within seconds where the broker is silent.
 */
import { assert } from '../../errors.ts';
import type { ControlLog } from '../../ports/control-log.ts';
import { defaultStallTimeoutMs, unavailable } from './kafka-connection.ts';
import type { OwnLogOptions } from './own-log.ts';
import { TopicReader } from './topic-reader.ts';
import { TopicWriter } from './topic-writer.ts';
import { controlTopic } from './topics.ts';

const partition = 0;

export class KafkaControlLog implements ControlLog {
  readonly #options: OwnLogOptions;
  readonly #writer: TopicWriter;

  constructor(options: OwnLogOptions) {
    this.#options = options;
    this.#writer = new TopicWriter(controlTopic(options.region), this.#common());
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#writer.append([{ partition, bytes }]);
  }

  async read(counts: (bytes: Uint8Array) => boolean = () => true): Promise<readonly Uint8Array[]> {
    const topic = controlTopic(this.#options.region);
    const reader = new TopicReader({ ...this.#common(), topic, partitionCount: 1, attempt: 0 });
    try {
      const [leader] = (await reader.open()).keys();
      assert(leader !== undefined, 'a topic has a leader');
      return await readAll(reader, leader, counts);
    } finally {
      reader.close();
    }
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  #common() {
    const { region, cluster, logger } = this.#options;
    return { cluster, clientId: `isthmus-${region}`, logger, stallTimeoutMs: defaultStallTimeoutMs };
  }
}

/**
 * Everything that the topic holds as the reading begins and counts. Rejects with `log-unavailable` where nothing lies below the end
 * that was told: the topic was cut meanwhile, or its new leader does not show all of it yet. What was read until then is
 * no answer, because a claim that stands behind it would be overlooked; the next reading asks for the end anew.
 */
export async function readAll(
  reader: Pick<TopicReader, 'edge' | 'fetch'>,
  leader: number,
  counts: (bytes: Uint8Array) => boolean = () => true,
): Promise<readonly Uint8Array[]> {
  const end = await reader.edge(partition, 'end');
  const held: Uint8Array[] = [];
  for (let offset = await reader.edge(partition, 'beginning'); offset < end; ) {
    const fetched = await reader.fetch(leader, [{ partition, offset }]);
    const [found] = fetched.kind === 'records' ? fetched.partitions : [];
    if (found === undefined)
      throw unavailable(`the control topic ended at offset ${end} and holds nothing at ${offset}`);
    for (const { bytes } of found.records) if (counts(bytes)) held.push(bytes);
    offset = found.next;
  }
  return held;
}
