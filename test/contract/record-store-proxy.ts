/**
 * A TCP proxy before Postgres that can let a request through and lose its answer: once armed with a word, it passes on
 * what the client sends up to and including the packet with that word, swallows all answers from then on, and cuts
 * the connection when the server has answered.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface CuttingProxy {
  readonly url: (url: string) => string;
  readonly cutAnswersAfter: (word: string) => void;
  readonly heal: () => void;
  readonly close: () => Promise<void>;
}

export async function startCuttingProxy(targetPort: number): Promise<CuttingProxy> {
  let word: string | null = null;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    let armed = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('data', (packet) => {
      armed ||= word !== null && packet.includes(word);
      upstream.write(packet);
    });
    upstream.on('data', (packet) => {
      if (armed) client.destroy();
      else client.write(packet);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(address !== null && typeof address === 'object', 'a listening server has an address');
  return {
    url: (url) => url.replace(/:\d+\//, `:${address.port}/`),
    cutAnswersAfter: (next) => {
      word = next;
    },
    heal: () => {
      word = null;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
