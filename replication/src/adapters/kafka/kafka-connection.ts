/**
 * One kafkajs client together with every socket that it opens. kafkajs alone goes on waiting for a broker that has
 * fallen silent, keeps the dead socket and retries on it; here a request that sees no byte arrive for the stall time
 * fails, and all sockets of the client go with it, so that whoever asked builds a new one from the bootstrap
 * addresses. Time is counted by silence and not by duration, because a large answer over a slow link is legitimate.
 * A destroyed connection never opens a socket again. Nothing is ever written to the console.
 */
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import kafkajs from 'kafkajs';
import type { ISocketFactoryArgs, KafkaConfig, SASLOptions } from 'kafkajs';
import { ReplicationError } from '../../errors.ts';
import type { Logger } from '../../ports/logger.ts';
import { mendIdleTimer } from './idle-timer.ts';
import type { ClusterOptions } from './kafkajs-internals.ts';
import { readUncommitted } from './topics.ts';

/** Where a region's Kafka is and how to be let in. */
export interface KafkaCluster {
  /** Bootstrap addresses, `host:port`; at least one. */
  readonly brokers: readonly string[];
  readonly ssl?: ConnectionOptions | boolean;
  readonly sasl?: SASLOptions;
}

export interface KafkaConnectionOptions {
  readonly cluster: KafkaCluster;
  readonly clientId: string;
  readonly logger: Logger;
  /** Silence after which a broker that owes an answer is given up. */
  readonly stallTimeoutMs: number;
  /** Rotates the bootstrap addresses, so that a dead first one does not hold up every attempt. */
  readonly attempt: number;
}

export const defaultStallTimeoutMs = 5_000;

const connectTimeoutMs = 3_000;
const looksPerStall = 10;
const keepAliveDelayMs = 10_000;

mendIdleTimer();

export class KafkaConnection {
  /** For a cluster of kafkajs, which is not reached through `Kafka`. */
  readonly clusterOptions: ClusterOptions;
  readonly #stallTimeoutMs: number;
  readonly #sockets = new Map<Socket, string>();
  #destroyed = false;

  constructor(options: KafkaConnectionOptions) {
    this.#stallTimeoutMs = options.stallTimeoutMs;
    const config: KafkaConfig = {
      brokers: rotated(options.cluster.brokers, options.attempt),
      clientId: options.clientId,
      ...(options.cluster.ssl === undefined ? {} : { ssl: options.cluster.ssl }),
      ...(options.cluster.sasl === undefined ? {} : { sasl: options.cluster.sasl }),
      connectionTimeout: connectTimeoutMs,
      requestTimeout: options.stallTimeoutMs,
      enforceRequestTimeout: false,
      retry: { retries: 0 },
      socketFactory: (args) => this.#open(args),
      logLevel: kafkajs.logLevel.WARN,
      logCreator: () => (entry) =>
        options.logger.debug({ kafka: entry.namespace, detail: entry.log.message }, 'kafka client'),
    };
    const kafka = new kafkajs.Kafka(config);
    this.clusterOptions = {
      ...config,
      logger: kafka.logger(),
      metadataMaxAge: 0,
      allowAutoTopicCreation: false,
      isolationLevel: readUncommitted,
    };
  }

  /**
   * Waits for what needs answers of the brokers, or of the one with this `host:port`. Rejects with
   * `log-unavailable` for whatever reason; after a stall every socket is destroyed that was waited for.
   */
  async answered<T>(work: Promise<T>, address?: string): Promise<T> {
    let watch: NodeJS.Timeout | undefined;
    const stall = new Promise<never>((_, reject) => {
      watch = this.#onStall(address, reject);
    });
    try {
      return await Promise.race([work, stall]);
    } catch (error) {
      throw unavailable(error);
    } finally {
      clearInterval(watch);
    }
  }

  /**
   * As `answered`, for what is answered in a few bytes: those of other answers do not prove that it is on its way. After
   * twice the stall time the connection is destroyed.
   */
  async answeredSoon<T>(work: Promise<T>): Promise<T> {
    const limitMs = 2 * this.#stallTimeoutMs;
    const limit = setTimeout(() => this.destroy(stallError(undefined, limitMs)), limitMs);
    try {
      return await this.answered(work);
    } finally {
      clearTimeout(limit);
    }
  }

  destroy(cause?: Error): void {
    this.#destroyed = true;
    for (const socket of this.#sockets.keys()) socket.destroy(cause ?? closedError());
  }

  /** Calls back once, when no byte has come for the stall time; until then it looks several times. */
  #onStall(address: string | undefined, stalled: (cause: Error) => void): NodeJS.Timeout {
    let seen = this.#activity(address);
    let quietLooks = 0;
    const look = (): void => {
      const now = this.#activity(address);
      quietLooks = now === seen ? quietLooks + 1 : 0;
      seen = now;
      if (quietLooks !== looksPerStall) return;
      const cause = stallError(address, this.#stallTimeoutMs);
      if (address === undefined) this.destroy(cause);
      else this.#leave(address, cause);
      stalled(cause);
    };
    return setInterval(look, this.#stallTimeoutMs / looksPerStall);
  }

  #leave(address: string, cause: Error): void {
    for (const [socket, peer] of this.#sockets) if (peer === address) socket.destroy(cause);
  }

  /** Grows with every byte that arrives; starts anew for a socket that was replaced. */
  #activity(address?: string): string {
    let bytesRead = 0;
    let socketCount = 0;
    for (const [socket, peer] of this.#sockets) {
      if (address !== undefined && peer !== address) continue;
      bytesRead += socket.bytesRead;
      socketCount += socket.connecting ? 0 : 1;
    }
    return `${socketCount}:${bytesRead}`;
  }

  #open(args: ISocketFactoryArgs): Socket {
    if (this.#destroyed) throw closedError();
    const { host, port, ssl, onConnect } = args;
    const socket = ssl
      ? connectTls({ ...serverName(host), ...ssl, host, port }, onConnect)
      : connectTcp({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveDelayMs);
    socket.setNoDelay(true);
    this.#sockets.set(socket, `${host}:${port}`);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

export function unavailable(error: unknown): ReplicationError {
  if (error instanceof ReplicationError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ReplicationError('log-unavailable', `the log does not answer: ${detail}`, {
    retriable: true,
    cause: error,
  });
}

function stallError(address: string | undefined, silentMs: number): ReplicationError {
  const who = address ?? 'every broker';
  return new ReplicationError('log-unavailable', `${who} was silent for ${silentMs} ms`, {
    retriable: true,
  });
}

function closedError(): ReplicationError {
  return new ReplicationError('log-unavailable', 'the connection was closed', {
    retriable: true,
  });
}

function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

function rotated(brokers: readonly string[], attempt: number): string[] {
  const first = attempt % brokers.length;
  return [...brokers.slice(first), ...brokers.slice(0, first)];
}
