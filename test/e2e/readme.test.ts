import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { root } from '../tidy/tree.ts';
import { until } from '../until.ts';
import { useDemo } from './use-demo.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
const commands = blocks.flatMap((block) => block.trim().split('\n'));
/** Those that make keys belong to the configuration. */
const isthmusCommands = commands.filter(
  (command) => command.startsWith('npx isthmus ') && !command.startsWith('npx isthmus keys '),
);

const demo = useDemo();

test('the README says the two commands, which the scripts have', () => {
  const scripts = readFileSync(join(root, 'package.json'), 'utf8');
  expect(commands).toContain('npm ci && npm run demo');
  expect(commands).toContain('npm ci && npm test');
  expect(scripts).toMatch(/"demo":/);
  expect(scripts).toMatch(/"test":/);
});

test('every other command in it is one that the tests below run', () => {
  const known =
    /^(?:npm ci && npm (?:run demo|test)|npx isthmus .*|export ISTHMUS_[A-Z_]+=.*|node services\/region\/dist\/main\.js)$/;
  expect(commands.filter((command) => !known.test(command))).toEqual([]);
  expect(isthmusCommands.length).toBeGreaterThan(8);
});

test('the tour of the README runs from top to bottom in the demo', async () => {
  for (const [at, command] of isthmusCommands.entries()) {
    // npx itself takes longer than the command, and has shown once that it finds it.
    const run = at === 0 ? command : command.replace(/^npx /, 'node_modules/.bin/');
    await until(command, 30_000, async () => {
      const { code, output } = await shell(run);
      if (code !== 0) throw new Error(`exit code ${code}: ${output}`);
      return true;
    });
  }
  const { output } = await shell('node_modules/.bin/isthmus get products lamp --region eu');
  expect(output).toContain('reserved');
}, 180_000);

test('the configuration in it is one that a region takes', async () => {
  const block = blocks.find((text) => text.includes('export ISTHMUS_REGION')) ?? '';
  const script = block
    .replace('=collections.json', '=deploy/local/collections.json')
    .replace('dist/main.js', 'dist/main.js --print-config');
  const { code, output } = await shell(inFolder(script));
  expect(output).toContain('kafka.eu.example:9092');
  expect(code).toBe(0);
  const withoutKafka = blocks.find((text) => text.includes('ISTHMUS_LOG_PASSWORD=')) ?? '';
  const second = await shell(inFolder(script.replace('node services', `${withoutKafka}node services`)));
  expect(second.output).toContain('"ISTHMUS_KAFKA_BROKERS": "postgres"');
  expect(second.output).toContain('(hidden)@db.us.example');
  expect(second.output).not.toMatch(/change-me-please|its-password/);
  expect(second.code).toBe(0);
});

/** Its keys lie in a folder that goes with the test. */
function inFolder(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return script.replaceAll(/\b(?:eu\.key|us\.key|keys\.json)/g, (name) => join(folder, name));
}

function shell(command: string): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-e', '-c', command], {
      cwd: root,
      env: { ...process.env, ISTHMUS_DEMO: String(demo.pid) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.once('close', (code) => resolve({ code, output }));
  });
}
