/**
 * Finds TCP ports on the loopback address that nobody listens on, and that no other process of ours will be given.
 * Ports are taken from below the range that the kernel uses for outgoing connections: a client that
 * keeps trying a dead server's port inside that range can be given that very port, connect to itself,
 * and keep the server from coming back.
 *
 * A port is chosen long before its server binds it, since others are told of it first. So the range is cut into slices, and
 * a process chooses from slices of its own: it listens on a slice's first port for as long as it lives, and the kernel gives
 * the slice back with its end, however it ends. A foreign program may still come between choice and bind.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { LocalError } from './errors.ts';

const lowestPort = 12_000;
const highestPort = 31_999;
const slicePorts = 50;
const sliceCount = Math.floor((highestPort + 1 - lowestPort) / slicePorts);

const handedOut = new Set<number>();
const owned: number[] = [];
let growing: Promise<boolean> | null = null;

/** `null`: another listens there. */
async function listen(port: number): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  const outcome = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('listening', () => resolve(true));
  });
  server.listen({ port, host: '127.0.0.1', exclusive: true });
  return (await outcome) ? server : null;
}

/** Whether nobody listens on this port of the loopback address now. */
async function isPortFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === null) return false;
  server.close();
  await once(server, 'close');
  return true;
}

/** Whether one more slice is ours. Begins anywhere, so that ports which were just left are not taken again at once. */
async function ownSlice(): Promise<boolean> {
  const start = randomInt(sliceCount);
  for (let step = 0; step < sliceCount; step++) {
    const first = lowestPort + ((start + step) % sliceCount) * slicePorts;
    if (owned.includes(first)) continue;
    const lock = await listen(first);
    if (lock === null) continue;
    lock.unref();
    owned.push(first);
    return true;
  }
  return false;
}

/** Callers at one time want one slice together. */
function grow(): Promise<boolean> {
  growing ??= ownSlice().finally(() => {
    growing = null;
  });
  return growing;
}

/** @throws LocalError `port-in-use`: no slice is left, or each port of ours is held. */
export async function findFreePort(): Promise<number> {
  do {
    const candidates = owned.flatMap((first) =>
      Array.from({ length: slicePorts - 1 }, (_, index) => first + 1 + index),
    );
    const start = randomInt(Math.max(1, candidates.length));
    for (const port of [...candidates.slice(start), ...candidates.slice(0, start)]) {
      if (handedOut.has(port)) continue;
      handedOut.add(port);
      if (await isPortFree(port)) return port;
      handedOut.delete(port);
    }
  } while (await grow());
  throw new LocalError(
    'port-in-use',
    `No TCP port on 127.0.0.1 from ${lowestPort} to ${highestPort} is free`,
    {
      remedy: 'End servers that are left over from earlier runs.',
      retriable: true,
    },
  );
}

/** Gives a port back once its server has stopped for good. */
export function releasePort(port: number): void {
  handedOut.delete(port);
}
