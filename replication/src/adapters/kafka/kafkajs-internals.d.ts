/**
 * The shapes of kafkajs 2.2.4 that its own types leave out. Its consumers cannot read without a consumer group,
 * which we have no use for: positions live in Postgres, each applier reads every partition, and a group costs a
 * join, heartbeats, a coordinator that may be down while the leader is up, and a silent reset of lost offsets. The
 * cluster and its brokers can read without one. `kafkajs-internals.test.ts` fails when the library changes.
 */
declare module 'kafkajs/src/cluster/index.js' {
  import type { ISocketFactory, Logger, RetryOptions } from 'kafkajs';

  interface ClusterOptions {
    logger: Logger;
    brokers: string[];
    clientId: string;
    ssl: unknown;
    sasl: unknown;
    socketFactory: ISocketFactory;
    connectionTimeout: number;
    requestTimeout: number;
    enforceRequestTimeout: boolean;
    metadataMaxAge: number;
    allowAutoTopicCreation: boolean;
    isolationLevel: number;
    retry: RetryOptions;
  }

  interface FetchRequest {
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: {
      topic: string;
      partitions: {
        partition: number;
        fetchOffset: string;
        maxBytes: number;
      }[];
    }[];
  }

  interface FetchedMessage {
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

  interface Broker {
    readonly brokerAddress: string;
    fetch(request: FetchRequest): Promise<FetchResponse>;
  }

  interface OffsetRequest {
    topic: string;
    partitions: { partition: number }[];
    fromBeginning: boolean;
  }

  export default class Cluster {
    constructor(options: ClusterOptions);
    connect(): Promise<void>;
    addMultipleTargetTopics(topics: string[]): Promise<void>;
    findTopicPartitionMetadata(
      topic: string,
    ): readonly { readonly partitionId: number; readonly leader: number }[];
    findBroker(options: { nodeId: string }): Promise<Broker>;
    fetchTopicsOffset(topics: OffsetRequest[]): Promise<
      {
        readonly topic: string;
        readonly partitions: readonly {
          readonly partition: number;
          readonly offset: string;
        }[];
      }[]
    >;
  }
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    readonly pending: readonly unknown[];
    readonly throttleCheckTimeoutId: NodeJS.Timeout | null;
    throttledUntil: number;
    constructor(options: unknown);
    push(request: unknown): void;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests: (this: RequestQueue) => void;
    destroy(): void;
  }
}
