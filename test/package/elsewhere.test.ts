/**
 * The packed core in other places than Node's main thread gives the same bytes as here: in a thread, and in a context
 * that has the language and nothing else, no `Buffer`, no `TextEncoder`, no `process`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleProgram } from './bundled-program.ts';
import { packPackage } from './packed-package.ts';
import type { PackedPackage, Project } from './packed-package.ts';
import { linesOf } from './same-everywhere.ts';

const seed = 20260114;
let packed: PackedPackage;
let project: Project;

beforeAll(async () => {
  packed = await packPackage();
  project = await packed.install();
}, 120_000);

afterAll(() => packed.remove());

const ours = linesOf(seed);

test('the history is one worth comparing', () => {
  expect(ours.length).toBeGreaterThan(600);
  for (const word of ['merged true', 'merged false', 'edited', 'insufficient-rights', 'invalid-value', '|']) {
    expect(
      ours.some((line) => line.includes(word)),
      word,
    ).toBe(true);
  }
});

test('in a context with the language alone', async () => {
  const file = await bundleProgram(project, { format: 'iife', alone: true });
  const context = createContext({}, { codeGeneration: { strings: false, wasm: false } });
  expect(runInContext('typeof process + typeof Buffer + typeof TextEncoder', context)).toBe(
    'undefined'.repeat(3),
  );
  const lines: unknown = runInContext(`${readFileSync(file, 'utf8')}; program.linesOf(${seed})`, context);
  expect(JSON.stringify(lines)).toBe(JSON.stringify(ours));
});

test('in a worker thread', async () => {
  const file = await bundleProgram(project, { format: 'esm', alone: false });
  const script = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(file)}).then((program) => parentPort.postMessage(program.linesOf(${seed})));
  `;
  const worker = new Worker(script, { eval: true });
  const lines = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  expect(lines).toEqual(ours);
});

test('and in the bundle nothing of it is left that is not used', async () => {
  const file = await bundleProgram(project, { format: 'esm', alone: true });
  const text = readFileSync(join(file), 'utf8');
  expect(text).toContain('ConflictError');
  expect(text).not.toContain('StabilityTracker');
});
