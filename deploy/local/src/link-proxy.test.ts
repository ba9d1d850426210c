import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFreePort } from './free-port.ts';
import { type Link, openLink } from './link-proxy.ts';

const deadlineMs = 5_000;

/** Echoes every byte, and an orderly end with an orderly end. */
async function startEcho(): Promise<{ server: Server; address: { host: string; port: number } }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  const port = await findFreePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, address: { host: '127.0.0.1', port } };
}

async function open(address: { host: string; port: number }): Promise<Socket> {
  const socket = connect({ ...address, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

function closeReason(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('closed'));
  });
}

async function readBytes(socket: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  while (size < length) {
    const part: unknown = socket.read() ?? undefined;
    if (part === undefined) {
      await once(socket, 'readable', { signal: AbortSignal.timeout(deadlineMs) });
    } else if (Buffer.isBuffer(part)) {
      parts.push(part);
      size += part.length;
    }
  }
  return Buffer.concat(parts);
}

async function roundTripMs(socket: Socket): Promise<number> {
  const startMs = performance.now();
  socket.write('ping');
  expect((await readBytes(socket, 4)).toString()).toBe('ping');
  return performance.now() - startMs;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!condition()) {
    expect(Date.now(), what).toBeLessThan(deadline);
    await delay(5);
  }
}

describe('a link', { timeout: 60_000 }, () => {
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let link: Link;
  const sockets: Socket[] = [];

  const dial = async (address = link.log): Promise<Socket> => {
    const socket = await open(address);
    sockets.push(socket);
    return socket;
  };

  beforeEach(async () => {
    echo = await startEcho();
    link = await openLink({ origin: 'eu', target: 'us', baseDelayMs: 0 });
    link.leadLogTo(echo.address);
    link.leadAdminTo(echo.address);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await link.close();
    echo.server.close();
  });

  it('carries bytes unchanged and an orderly end both ways', async () => {
    const socket = await dial();
    const sent = randomBytes(3_000_000);
    const received = createHash('sha256');
    socket.on('data', (bytes: Buffer) => received.update(bytes));
    socket.end(sent);
    await once(socket, 'close');
    expect(received.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
    await until('no connection is left', () => link.report().openConnections === 0);
    expect(link.report()).toMatchObject({ bytesToOrigin: 3_000_000, bytesToTarget: 3_000_000 });
  });

  it('counts what is read of the log and admin requests as bytes to the target', async () => {
    await roundTripMs(await dial(link.log));
    const before = link.report();
    const admin = await dial(link.admin);
    admin.write('hello');
    await readBytes(admin, 5);
    expect(before).toMatchObject({ bytesToTarget: 4, bytesToOrigin: 4 });
    expect(link.report()).toMatchObject({ bytesToTarget: 9, bytesToOrigin: 9 });
  });

  it('resets open and new connections when it is cut, and serves again when it is healed', async () => {
    const reader = await dial(link.log);
    const admin = await dial(link.admin);
    await Promise.all([roundTripMs(reader), roundTripMs(admin)]);
    const reasons = Promise.all([closeReason(reader), closeReason(admin)]);
    link.set({ state: 'cut' });
    expect(await reasons).toEqual(['ECONNRESET', 'ECONNRESET']);
    const fresh = connect(link.log);
    expect(await closeReason(fresh)).toBe('ECONNRESET');
    expect(link.report()).toMatchObject({ state: 'cut', openConnections: 0 });
    link.set({ state: 'ok' });
    await roundTripMs(await dial());
  });

  it('resets a connection that is still being made when it is cut', async () => {
    const socket = connect(link.log);
    const reason = closeReason(socket);
    await until('the connection is accepted', () => link.report().openConnections === 1);
    link.set({ state: 'cut' });
    expect(await reason).toBe('ECONNRESET');
  });

  it('accepts while it hangs, moves nothing, and goes on with every byte when healed', async () => {
    const before = await dial();
    await roundTripMs(before);
    link.set({ state: 'hang' });
    const after = await dial();
    const { bytesToOrigin, bytesToTarget } = link.report();
    before.write('held');
    after.write('held too');
    await delay(60);
    expect(link.report()).toMatchObject({ bytesToOrigin, bytesToTarget, openConnections: 2 });
    expect([before.bytesRead, after.bytesRead]).toEqual([4, 0]);
    link.set({ state: 'ok' });
    expect((await readBytes(before, 4)).toString()).toBe('held');
    expect((await readBytes(after, 8)).toString()).toBe('held too');
  });

  it('holds back a sender while it hangs instead of collecting its bytes', async () => {
    const socket = await dial();
    await roundTripMs(socket);
    link.set({ state: 'hang' });
    const sent = randomBytes(32 * 1024 * 1024);
    let isTaken = false;
    socket.write(sent, () => {
      isTaken = true;
    });
    await delay(100);
    expect(isTaken).toBe(false);
    link.set({ state: 'ok' });
    const back = await readBytes(socket, sent.length);
    expect(back.equals(sent)).toBe(true);
  });

  it('cuts a link that hangs', async () => {
    link.set({ state: 'hang' });
    const socket = await dial();
    const reason = closeReason(socket);
    link.set({ state: 'cut' });
    expect(await reason).toBe('ECONNRESET');
  });

  it('delays each way, for open connections too, and goes back to the base delay', async () => {
    const socket = await dial();
    expect(await roundTripMs(socket)).toBeLessThan(40);
    link.set({ state: 'delay', delayMs: 40 });
    const slowMs = await roundTripMs(socket);
    expect(slowMs).toBeGreaterThanOrEqual(79);
    expect(slowMs).toBeLessThan(200);
    link.set({ state: 'ok' });
    expect(await roundTripMs(socket)).toBeLessThan(40);
  });

  it('keeps many small pieces in order and on the way together', async () => {
    link.set({ state: 'delay', delayMs: 50 });
    const socket = await dial();
    const startMs = performance.now();
    for (let piece = 0; piece < 200; piece++) {
      socket.write(`${String(piece).padStart(3, '0')}\n`);
      await delay(1);
    }
    const lines = (await readBytes(socket, 800)).toString().trim().split('\n');
    const tookMs = performance.now() - startMs;
    expect(lines.map(Number)).toEqual(Array.from({ length: 200 }, (_, piece) => piece));
    expect(tookMs).toBeLessThan(2_000);
  });

  it('loses no throughput to the delay', async () => {
    link.set({ state: 'delay', delayMs: 50 });
    const socket = await dial();
    const sent = randomBytes(24 * 1024 * 1024);
    const startMs = performance.now();
    socket.write(sent);
    const back = await readBytes(socket, sent.length);
    expect(back.equals(sent)).toBe(true);
    expect(performance.now() - startMs).toBeLessThan(2_500);
  });

  it('shortens the way of what is under way when a long delay ends', async () => {
    link.set({ state: 'delay', delayMs: 60_000 });
    const socket = await dial();
    const answer = roundTripMs(socket);
    await until('the bytes are on the line', () => socket.bytesWritten === 4);
    await delay(20);
    link.set({ state: 'ok' });
    expect(await answer).toBeLessThan(1_000);
  });

  it('resets the client when nobody listens at the other end', async () => {
    link.leadLogTo({ host: '127.0.0.1', port: 1 });
    expect(await closeReason(connect(link.log))).toBe('ECONNRESET');
  });
});
