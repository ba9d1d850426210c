/**
 * The inner parts of kafkajs 2.2.4 that are used here, with the shapes that its own types leave out. Its consumers
 * cannot read without a consumer group, which we have no use for: positions live in Postgres, an applier reads every
 * partition, and a group costs a join, heartbeats, a coordinator that may be down while the leader is up, and a
 * silent reset of lost offsets. The cluster and its brokers can read without one. Nothing else of the library's
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

interface FetchRequest {
  readonly isolationLevel: number;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: string;
      readonly maxBytes: number;
    }[];
  }[];
}

export interface FetchedMessage {
  readonly offset: string;
  readonly value: Buffer | null;
  readonly isControlRecord: boolean;
}

interface FetchResponse {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly messages: readonly FetchedMessage[];
    }[];
  }[];
}

/** What the library takes for an encoder that has finished: both are the bytes. */
export interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** A request and how its answer is read. */
export interface Exchange<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<Encoded>;
  };
  readonly response: {
    readonly decode: (answer: Buffer) => Promise<ProduceAnswer>;
    readonly parse: (answer: ProduceAnswer) => Promise<T>;
  };
}

/** Partitions' error codes, and for how many milliseconds the broker asks to be left alone. */
export interface ProduceAnswer {
  readonly failures: readonly number[];
  readonly clientSideThrottleTime: number;
}

export interface Broker {
  /** `host:port`. */
  readonly brokerAddress: string;
  readonly connectionPool: { send<T>(exchange: Exchange<T>): Promise<T> };
  fetch(request: FetchRequest): Promise<FetchResponse>;
}

interface OffsetRequest {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number }[];
  readonly fromBeginning: boolean;
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
