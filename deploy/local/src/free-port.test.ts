import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findFreePort, releasePort } from './free-port.ts';

const program = fileURLToPath(new URL('../dist/free-port.js', import.meta.url));
const take = `
  const { findFreePort } = await import(${JSON.stringify(program)});
  const ports = await Promise.all(Array.from({ length: 60 }, findFreePort));
  process.send(ports);
  process.on('disconnect', () => process.exit());
`;

test('processes at one time are never given the same port, though nobody listens there yet', async () => {
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '--eval', take], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  try {
    const told = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0]));
    const ports = [...told.flat(), ...(await Promise.all(Array.from({ length: 60 }, findFreePort)))];
    expect(ports).toHaveLength(420);
    expect(new Set(ports).size).toBe(420);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});

test('a port that somebody listens on is not handed out, and one that was given back is again', async () => {
  const port = await findFreePort();
  const server = createServer().listen({ port, host: '127.0.0.1' });
  await once(server, 'listening');
  releasePort(port);
  const others = await Promise.all(Array.from({ length: 200 }, findFreePort));
  expect(others).not.toContain(port);
  server.close();
  await once(server, 'close');
  const more = new Set<number>();
  while (!more.has(port) && more.size < 400) more.add(await findFreePort());
  expect(more).toContain(port);
  for (const other of [...others, ...more]) releasePort(other);
});
