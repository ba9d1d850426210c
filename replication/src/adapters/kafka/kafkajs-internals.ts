/**
 * The inner parts of kafkajs 2.2.4 that are used here, with the shapes that its own types leave out: the cluster, which
 * finds brokers and keeps connections, and the sending of requests over them. Its consumers cannot read without a consumer group, which we have no use for: positions live in Postgres, an applier reads every
 * partition, and a group costs a join, heartbeats, a coordinator that may be down while the leader is up, and a
 * silent reset of lost offsets. Nothing else of the library's
 * inside may be reached into; a test fails when the library changes.
 */
import { createRequire } from 'node:module';
import type { Admin, KafkaConfig, Logger, RetryOptions } from 'kafkajs';

export interface ClusterOptions extends KafkaConfig {
  readonly logger: Logger;
  readonly metadataMaxAge: number;
  readonly allowAutoTopicCreation: boolean;
  readonly isolationLevel: number;
}

/** What the library takes for an encoder that has finished: both are the bytes. */
export interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** A request and how its answer is read: decoded to `D`, from which its result is taken. */
export interface Exchange<T, D extends Throttled> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<Encoded>;
  };
  readonly response: {
    readonly decode: (answer: Buffer) => Promise<D>;
    readonly parse: (decoded: D) => Promise<T>;
  };
}

export interface Throttled {
  /** For how many milliseconds the broker asks to be left alone. */
  readonly clientSideThrottleTime: number;
}

export interface Broker {
  /** `host:port`. */
  readonly brokerAddress: string;
  readonly connectionPool: { send<T, D extends Throttled>(exchange: Exchange<T, D>): Promise<T> };
}

interface PartitionMetadata {
  readonly partitionId: number;
  readonly partitionErrorCode: number;
  readonly leader: number;
  readonly replicas: readonly number[];
}

interface Metadata extends Throttled {
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly partitionMetadata: readonly PartitionMetadata[];
  }[];
}

interface AskedBroker extends Broker {
  /** The newest version of a request that the broker knows. */
  lookupRequest(
    key: number,
    versions: unknown,
  ): (of: {
    readonly topics: readonly string[];
    readonly allowAutoTopicCreation: boolean;
  }) => Exchange<Metadata, Metadata>;
  metadata: (topics?: readonly string[]) => Promise<Metadata>;
}

interface BrokerPool {
  /** By node. */
  readonly brokers: Readonly<Record<string, Broker>>;
  createBroker: (options: unknown) => AskedBroker;
}

export interface OffsetRequest {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number }[];
  readonly fromBeginning: boolean;
  /** Milliseconds since 1970; goes before `fromBeginning`. */
  readonly fromTimestamp?: number;
}

interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

export interface Cluster {
  connect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
  findBroker(options: { readonly nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(topics: readonly OffsetRequest[]): Promise<readonly TopicOffsets[]>;
  readonly brokerPool: BrokerPool;
}

/** The queue of requests of one connection. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  push(request: unknown): void;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
  destroy(): void;
}

const load = createRequire(import.meta.url);

const InnerCluster: new (options: ClusterOptions) => Cluster = load('kafkajs/src/cluster');
const createAdmin: (parts: {
  readonly logger: Logger;
  readonly retry: RetryOptions;
  readonly cluster: Cluster;
}) => Admin = load('kafkajs/src/admin');
const metadataVersions: unknown = load('kafkajs/src/protocol/requests/metadata');
const { createErrorFromCode }: { createErrorFromCode: (code: number) => Error } = load(
  'kafkajs/src/protocol/error',
);

const metadataKey = 3;

/**
 * A cluster that knows of a topic what there is to know. The library's own takes one partition without a leader, of
 * whichever topic it was told of, for an answer that says nothing.
 */
export function openCluster(options: ClusterOptions): Cluster {
  const cluster = new InnerCluster(options);
  const pool = cluster.brokerPool;
  const create = pool.createBroker;
  pool.createBroker = (given) => {
    const broker = create(given);
    broker.metadata = (topics = []) => {
      const asked = broker.lookupRequest(metadataKey, metadataVersions);
      const { request, response } = asked({ topics, allowAutoTopicCreation: options.allowAutoTopicCreation });
      const parse = async (told: Metadata): Promise<Metadata> => {
        await response.parse(withoutPartitions(told));
        return told;
      };
      return broker.connectionPool.send({ request, response: { decode: response.decode, parse } });
    };
    return broker;
  };
  return cluster;
}

/** Errors that remain are those of whole topics. */
function withoutPartitions(told: Metadata): Metadata {
  return {
    ...told,
    topicMetadata: told.topicMetadata.map((topic) => ({ ...topic, partitionMetadata: [] })),
  };
}

/** The partitions of each leader. Those that have none are left out. */
export function leadersOf(cluster: Cluster, topic: string): ReadonlyMap<number, readonly number[]> {
  const leaders = new Map<number, number[]>();
  for (const { partitionId, partitionErrorCode, leader } of cluster.findTopicPartitionMetadata(topic))
    if (partitionErrorCode === 0) leaders.set(leader, [...(leaders.get(leader) ?? []), partitionId]);
  return leaders;
}

/** What administrators do, by way of a cluster. */
export function adminOf(cluster: Cluster, { logger }: ClusterOptions, retry: RetryOptions): Admin {
  return createAdmin({ logger, retry, cluster });
}

/** The library's error for a broker's error code. */
export function errorOfCode(code: number): Error {
  return createErrorFromCode(code);
}

export const InnerRequestQueue: new (options: unknown) => RequestQueue = load(
  'kafkajs/src/network/requestQueue',
);
