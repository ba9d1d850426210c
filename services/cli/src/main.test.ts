/** The command as a process: how it ends when it is interrupted, or when nobody takes what it says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../bin/isthmus.js', import.meta.url));
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('ISTHMUS_')),
);
/** Takes requests and answers none. */
let silent: Server;
let address = '';

beforeAll(async () => {
  silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const bound = silent.address();
  address = `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
});

afterAll(() => {
  silent.closeAllConnections();
  silent.close();
});

it.each([
  ['for an answer', ['get', 'products', 'a'], 'request'],
  ['for standard input', ['put', 'products', 'a', '-'], null],
])(
  'whoever interrupts a command that waits %s is heard at once',
  async (_name, args, awaited) => {
    const child = spawn(process.execPath, [program, ...args, '--api', address], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: environment,
    });
    const said: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
    // More than a pipe holds goes into it only while the command reads.
    if (awaited === null) await new Promise((resolve) => child.stdin.write(' '.repeat(1_000_000), resolve));
    else await once(silent, awaited);
    const ended = once(child, 'exit');
    const startMs = performance.now();
    child.kill('SIGINT');
    expect(await ended).toEqual([1, null]);
    expect(performance.now() - startMs).toBeLessThan(6000);
    expect(said.join('')).toContain('Interrupted');
  },
  30_000,
);

it.runIf(process.platform === 'linux')(
  'a result that could not be written is not done',
  async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [program, 'help'], { stdio: ['ignore', full, 'ignore'] });
    expect(await once(child, 'exit')).toEqual([1, null]);
  },
  30_000,
);
