/** The load test as a program, with tiny numbers: that it runs to its end and what it leaves. No figure is judged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../tidy/tree.ts';

const program = join(root, 'loadtest/dist/main.js');
const timeoutMs = 240_000;

const figures = z.object({
  measures: z
    .array(
      z.object({
        name: z.string(),
        unit: z.string(),
        median: z.number(),
        min: z.number(),
        max: z.number(),
        runs: z.number().int().positive(),
      }),
    )
    .nonempty(),
  about: z.object({ recordBytes: z.number(), quick: z.boolean() }),
  scenarios: z.array(z.object({ scenario: z.string(), failure: z.string().nullable() })),
});

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isthmus-loadtest-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(args: readonly string[]): Promise<{ readonly code: unknown; readonly said: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const [code]: unknown[] = await once(child, 'close');
  return { code, said };
}

it('measures a write on its way to the peer and writes figures and page', {
  timeout: timeoutMs,
}, async () => {
  const json = join(folder, 'figures.json');
  const { code, said } = await run(['--quick', '--only', 'visible', '--json', json]);
  expect(said).toContain('commit_to_visible_p50_ms');
  expect(code, said).toBe(0);
  const { measures, about, scenarios } = figures.parse(JSON.parse(await readFile(json, 'utf8')));
  expect(scenarios).toEqual([{ scenario: 'visible', failure: null }]);
  expect(measures.map(({ name }) => name)).toContain('commit_to_visible_p99_ms');
  for (const { min, median, max } of measures)
    expect([min, median, max]).toEqual([min, median, max].toSorted((a, b) => a - b));
  expect(about.quick).toBe(true);
  expect(about.recordBytes).toBeGreaterThan(200);
  const page = await readFile(join(folder, 'figures.html'), 'utf8');
  expect(page).toContain('<svg');
  expect(page).toContain('commit_to_visible_p50_ms');
});

it('refuses what it does not understand', async () => {
  const { code, said } = await run(['--only', 'everything']);
  expect(code).toBe(2);
  expect(said).toContain('usage:');
});
