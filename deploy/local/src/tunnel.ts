/**
 * One TCP listener whose connections are carried to one address, through a link that can fail.
 * A cut resets every open connection and each new one. A hanging tunnel accepts, keeps every
 * connection and moves no byte either way; healed, it goes on where it stood. Delay applies each way.
 * Changes strike open and new connections alike. Connections are bounded in number, and what they hold
 * in bytes.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { DelayLine, type Flow, LineBudget } from './delay-line.ts';
import { systemCode } from './errors.ts';
import { findFreePort, releasePort } from './free-port.ts';
import type { Address } from './address.ts';

const connectionLimit = 512;
const portAttempts = 5;
const budgetBytes = 64 * 1024 * 1024;

export type TunnelState = Flow | { readonly kind: 'cut' };

export interface TunnelCounters {
  /** From the side that connects to the address that the tunnel leads to. */
  readonly onForward: (bytes: number) => void;
  readonly onBackward: (bytes: number) => void;
}

export interface TunnelOptions {
  readonly state: TunnelState;
  readonly counters: TunnelCounters;
}

interface Connection {
  readonly client: Socket;
  readonly lines: DelayLine[];
  upstream: Socket | undefined;
}

export class Tunnel {
  readonly #server: Server;
  readonly #counters: TunnelCounters;
  readonly #budget = new LineBudget(budgetBytes);
  readonly #connections = new Set<Connection>();
  #state: TunnelState;
  #destination: Address | undefined;
  #port = 0;

  private constructor(options: TunnelOptions) {
    this.#state = options.state;
    this.#counters = options.counters;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    this.#server.on('connection', (client) => this.#accept(client));
  }

  /** Listens on a free port of the loopback address. */
  static async open(options: TunnelOptions): Promise<Tunnel> {
    for (let attempt = 1; ; attempt++) {
      const tunnel = new Tunnel(options);
      const port = await findFreePort();
      try {
        tunnel.#server.listen({ port, host: '127.0.0.1', exclusive: true });
        await once(tunnel.#server, 'listening');
        tunnel.#port = port;
        return tunnel;
      } catch (error) {
        releasePort(port);
        if (systemCode(error) !== 'EADDRINUSE' || attempt === portAttempts) throw error;
      }
    }
  }

  get address(): Address {
    return { host: '127.0.0.1', port: this.#port };
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Until this is called every connection is reset, as where nobody listens. */
  leadTo(destination: Address): void {
    this.#destination = destination;
  }

  set(state: TunnelState): void {
    this.#state = state;
    for (const connection of this.#connections) {
      if (state.kind === 'cut') this.#reset(connection);
      else if (connection.upstream === undefined) this.#extend(connection);
      else for (const line of connection.lines) line.setFlow(state);
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) this.#reset(connection);
    this.#server.close();
    await once(this.#server, 'close');
    releasePort(this.#port);
  }

  #accept(client: Socket): void {
    if (this.#state.kind === 'cut' || this.#connections.size >= connectionLimit) {
      client.on('error', () => client.destroy());
      client.resetAndDestroy();
      return;
    }
    const connection: Connection = { client, lines: [], upstream: undefined };
    this.#connections.add(connection);
    this.#watch(connection, client);
    this.#extend(connection);
  }

  /** A reset of one side is a reset of the other; an orderly end travels along the lines. */
  #watch(connection: Connection, socket: Socket): void {
    socket.on('error', () => this.#reset(connection));
    socket.on('close', () => {
      const { client, upstream } = connection;
      const orderly = socket.readableEnded && socket.writableFinished;
      if (!orderly) this.#reset(connection);
      if (client.destroyed && (upstream === undefined || upstream.destroyed)) {
        this.#connections.delete(connection);
      }
    });
  }

  /** Joins a connection to the destination; on a hanging tunnel that waits until it is healed. */
  #extend(connection: Connection): void {
    if (this.#state.kind === 'held') return;
    if (this.#destination === undefined) return this.#reset(connection);
    const upstream = connect({ ...this.#destination, allowHalfOpen: true, noDelay: true });
    connection.upstream = upstream;
    upstream.pause();
    this.#watch(connection, upstream);
    upstream.once('connect', () => this.#join(connection, upstream));
  }

  #join(connection: Connection, upstream: Socket): void {
    const flow = this.#state;
    const { client, lines } = connection;
    if (client.destroyed) return;
    assert(flow.kind !== 'cut', 'a cut leaves no connection to join');
    const { onForward, onBackward } = this.#counters;
    const common = { budget: this.#budget, flow };
    lines.push(
      new DelayLine({ ...common, source: client, target: upstream, onMoved: onForward }),
      new DelayLine({ ...common, source: upstream, target: client, onMoved: onBackward }),
    );
  }

  #reset(connection: Connection): void {
    const { client, upstream } = connection;
    if (!client.destroyed) client.resetAndDestroy();
    if (upstream?.connecting) upstream.destroy();
    else if (upstream !== undefined && !upstream.destroyed) upstream.resetAndDestroy();
    this.#connections.delete(connection);
  }
}
