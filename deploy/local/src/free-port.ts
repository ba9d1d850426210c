/**
 * Finds TCP ports on the loopback address that nobody listens on.
 * Ports are taken from below the range that the kernel uses for outgoing connections: a client that
 * keeps trying a dead server's port inside that range can be given that very port, connect to itself,
 * and keep the server from coming back. A port is free at the moment of the answer only: whoever binds
 * it must still be ready to try another. One process is never given the same port twice.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { LocalError } from './errors.ts';

const LOWEST_PORT = 12_000;
const HIGHEST_PORT = 31_999;
const ATTEMPTS = 200;

const handedOut = new Set<number>();

/** Whether nobody listens on this port of the loopback address now. */
async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  const outcome = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('listening', () => resolve(true));
  });
  server.listen({ port, host: '127.0.0.1', exclusive: true });
  const free = await outcome;
  if (!free) return false;
  server.close();
  await once(server, 'close');
  return true;
}

export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT + 1);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isPortFree(port)) return port;
    handedOut.delete(port);
  }
  throw new LocalError(
    'port-in-use',
    `No free TCP port on 127.0.0.1 between ${LOWEST_PORT} and ${HIGHEST_PORT} in ${ATTEMPTS} attempts`,
    { remedy: 'End servers that are left over from earlier runs.', retriable: true },
  );
}

/** Gives a port back once its server has stopped for good. */
export function releasePort(port: number): void {
  handedOut.delete(port);
}
