/**
 * The inner parts of kafkajs 2.2.4 that are used here, with the shapes that its own types leave out: the cluster, which
 * finds brokers and keeps connections, and the sending of requests over them. Its consumers cannot read without a consumer group, which we have no use for: positions live in Postgres, an applier reads every
 * partition, and a group costs a join, heartbeats, a coordinator that may be down while the leader is up, and a
 * silent reset of lost offsets. Nothing else of the library's
 * inside may be reached into; a test fails when the library changes.
 */
import { createRequire } from 'node:module';
import type { KafkaConfig, Logger } from 'kafkajs';

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

interface OffsetRequest {
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
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly partitionId: number; readonly leader: number }[];
  findBroker(options: { readonly nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(topics: readonly OffsetRequest[]): Promise<readonly TopicOffsets[]>;
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

export const InnerCluster: new (options: ClusterOptions) => Cluster = load('kafkajs/src/cluster');
const { createErrorFromCode }: { createErrorFromCode: (code: number) => Error } = load(
  'kafkajs/src/protocol/error',
);

/** The library's error for a broker's error code. */
export function errorOfCode(code: number): Error {
  return createErrorFromCode(code);
}

export const InnerRequestQueue: new (options: unknown) => RequestQueue = load(
  'kafkajs/src/network/requestQueue',
);
