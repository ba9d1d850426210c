/** On which nodes the topics of a region lie, who leads, and who holds what is acknowledged. */
import type { Admin, ITopicMetadata, PartitionMetadata } from 'kafkajs';
import kafkajs from 'kafkajs';
import { until } from '../until.ts';
import type { ChaosRegion } from './chaos-region.ts';
import { changesOf } from './kafka-tools.ts';

const deadlineMs = 90_000;
const leastInSync = 'min.insync.replicas';
const ofTopics = kafkajs.ConfigResourceTypes.TOPIC;

interface Setting {
  readonly name: string;
  readonly value: string;
}

export interface Spread {
  readonly isLedByFirst: boolean;
  readonly minInSync: number;
}

export class Replicas {
  readonly #admin: Admin;
  readonly #region: ChaosRegion;

  constructor(admin: Admin, region: ChaosRegion) {
    this.#admin = admin;
    this.#region = region;
  }

  /** All topics on these nodes. A leader goes where it is none of those that hold a partition for a moment. */
  async spread(nodes: readonly number[], { isLedByFirst, minInSync }: Spread): Promise<void> {
    const [first = 0] = nodes;
    for (const { name, partitions } of await this.#topics())
      if (isLedByFirst && partitions.some(({ leader }) => leader !== first)) {
        await this.#assign(
          name,
          nodes.filter((node) => node === first || partitions.every(({ leader }) => leader !== node)),
        );
        await this.#each(
          `node ${first} leads ${name}`,
          ({ leader }, topic) => topic !== name || leader === first,
        );
      }
    for (const { name } of await this.#topics()) {
      await this.#assign(name, nodes);
      await this.#require(name, minInSync);
    }
    await this.areInSync(nodes.length);
  }

  async areInSync(count: number): Promise<void> {
    await this.#each(`${count} nodes hold every partition`, ({ isr, replicas }) => {
      return isr.length === count && replicas.length === count;
    });
  }

  /** Of the topic of changes. */
  async ledByOthersThan(node: number): Promise<readonly number[]> {
    const partitions = await this.#each(`others than ${node} lead`, ({ leader, isr }) => {
      return leader !== node && leader >= 0 && !isr.includes(node);
    });
    return partitions.filter(({ topic }) => topic === changesOf(this.#region)).map(({ leader }) => leader);
  }

  async #topics(): Promise<readonly ITopicMetadata[]> {
    const { topics } = await this.#admin.fetchTopicMetadata();
    return topics.filter(({ name }) => name.startsWith('isthmus.'));
  }

  async #assign(topic: string, replicas: readonly number[]): Promise<void> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
    const partitionAssignment = topics.flatMap(({ partitions }) =>
      partitions.map(({ partitionId }) => ({ partition: partitionId, replicas: [...replicas] })),
    );
    await this.#admin.alterPartitionReassignments({
      topics: [{ topic, partitionAssignment }],
      timeout: deadlineMs,
    });
  }

  /** Settings are replaced all at once. */
  async #require(topic: string, minInSync: number): Promise<void> {
    const kept = (await this.#settings(topic)).filter(({ name }) => name !== leastInSync);
    const configEntries = [...kept, { name: leastInSync, value: String(minInSync) }];
    await this.#admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ofTopics, name: topic, configEntries }],
    });
    await until(`${topic} has its settings`, deadlineMs, async () => {
      const now = await this.#settings(topic);
      return configEntries.every(({ name, value }) =>
        now.some((each) => each.name === name && each.value === value),
      );
    });
  }

  /** The topic's own, and not those of its brokers. */
  async #settings(topic: string): Promise<readonly Setting[]> {
    const asked = { resources: [{ type: ofTopics, name: topic }], includeSynonyms: false };
    const { resources } = await this.#admin.describeConfigs(asked);
    return resources.flatMap(({ configEntries }) =>
      configEntries
        .filter(({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG)
        .map(({ configName, configValue }) => ({ name: configName, value: configValue })),
    );
  }

  async #each(
    what: string,
    isSo: (partition: PartitionMetadata, topic: string) => boolean,
  ): Promise<readonly (PartitionMetadata & { readonly topic: string })[]> {
    return until(what, deadlineMs, async () => {
      const found = (await this.#topics()).flatMap(({ name, partitions }) =>
        partitions.map((partition) => ({ ...partition, topic: name })),
      );
      const wrong = found.filter((partition) => !isSo(partition, partition.topic));
      if (wrong.length === 0 && found.length > 0) return found;
      throw new Error(
        wrong.map(({ topic, leader, isr }) => `${topic}: ${leader} of ${isr.join()}`).join('; '),
      );
    });
  }
}
