/** The admin listener of a peer with some of its routes, on a real socket that can be cut. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createListener, type Listener } from '@isthmus/region/http/listener';
import { pino } from 'pino';
import { expect } from 'vitest';

export class PeerListener {
  readonly #app: Listener;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #isDamaging = false;
  url = '';

  private constructor() {
    this.#app = createListener({
      region: 'us',
      log: pino({ level: 'silent' }),
      crash: (failure) => expect.fail(failure.message),
      maxConnections: 100,
      headersTimeoutMs: 10_000,
      stallTimeoutMs: 0,
      requestTimeoutMs: 30_000,
      isDraining: () => false,
    });
    this.#app.server.on('connection', (socket: Socket) => {
      if (this.#isCut) socket.destroy();
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#app.addHook('onSend', async (_request, _reply, payload) => {
      if (!this.#isDamaging || !Buffer.isBuffer(payload)) return payload;
      const middle = payload.length >>> 1;
      payload.writeUInt8(payload.readUInt8(middle) ^ 1, middle);
      return payload;
    });
  }

  static async begin(addRoutes: (app: Listener) => void): Promise<PeerListener> {
    const begun = new PeerListener();
    addRoutes(begun.#app);
    begun.url = await begun.#app.listen({ host: '127.0.0.1', port: 0 });
    return begun;
  }

  /** What is open ends, and nothing is opened until the returned function is called. */
  cut(): () => void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    return () => {
      this.#isCut = false;
    };
  }

  damage(): void {
    this.#isDamaging = true;
  }

  async close(): Promise<void> {
    const closed = this.#sockets.size === 0 ? null : once(this.#app.server, 'close');
    for (const socket of this.#sockets) socket.destroy();
    await this.#app.close();
    await closed;
  }
}
