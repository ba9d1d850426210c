/**
 * `npm run fuzz -w conflict -- --inputs 10000000 [--seed N] [--workers N]`: hostile input at length. It prints its
 * seed, its progress and every input that breaks a rule as hexadecimal digits; `--input HEX [--other HEX]` examines one
 * of them again. It fails if a rule is broken, if an input takes longer than the watch allows, if memory grows, if a
 * prototype has changed, or if a documented error was never seen. It runs what `npm run build` has built.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Campaign } from '../dist/fuzz/campaign.js';
import { Examination } from '../dist/fuzz/examination.js';
import { bytesOf, hexOf } from '../dist/fuzz/hex.js';
import { Random } from '../dist/fuzz/random.js';
import { numberOf, readOptions, refuse } from './dist/command-line.js';

const slowMs = 1000;
const stuckMs = 30_000;
const mostHeapGrowthBytes = 48 * 2 ** 20;
const shownBytes = 256 * 1024;
const batch = 5000;
const everyCode = [
  'below-horizon',
  'checksum-mismatch',
  'counter-out-of-range',
  'insufficient-rights',
  'invalid-argument',
  'invalid-schema',
  'invalid-value',
  'malformed',
  'newer-format',
  'text-engine-missing',
  'too-deep',
  'too-large',
  'unknown-field',
  'wrong-operation',
];
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origins
const tell = (message) => parentPort.postMessage(message);
const say = (line) => process.stdout.write(`${line}\n`);

const usage = `npm run fuzz -w conflict -- [--inputs N] [--seed N] [--workers N]
       npm run fuzz -w conflict -- --input HEX [--other HEX] [--seed N]`;

if (isMainThread) await main();
else labour();

async function main() {
  const given = options();
  if (given.input === undefined) await supervise(given);
  else replay(given);
}

function options() {
  const text = { type: 'string' };
  const values = readOptions(usage, { inputs: text, seed: text, workers: text, input: text, other: text });
  return {
    inputs: numberOf('inputs', values.inputs ?? '100000', 1),
    seed: numberOf('seed', values.seed ?? String(Date.now() % 0x7fffffff), 0),
    workers: numberOf('workers', values.workers ?? '1', 1),
    input: values.input === undefined ? undefined : hexadecimal('input', values.input),
    other: hexadecimal('other', values.other ?? ''),
  };
}

function hexadecimal(name, text) {
  if (/^([0-9a-fA-F]{2})*$/.test(text)) return text;
  return refuse(`--${name} is bytes as pairs of hexadecimal digits`);
}

/** Every random choice of the examination is made often enough to meet the one that failed. */
function replay({ input, other, seed }) {
  const random = new Random(seed, 0);
  const examination = new Examination(random);
  for (let round = 1; round <= 500; round++) {
    random.restart(seed, round);
    examination.examine(bytesOf(input), bytesOf(other));
  }
  for (const [outcome, count] of examination.outcomes) say(`${String(count).padStart(8)}  ${outcome}`);
  report(examination.failures);
  process.exitCode = examination.failures.length === 0 ? 0 : 1;
}

/** One worker: inputs `first`, `first + step` and so on. What it looks at lies in shared memory. */
function labour() {
  const { seed, first, step, inputs, shared } = workerData;
  Error.stackTraceLimit = 0;
  const campaign = new Campaign(seed);
  const { examination } = campaign;
  const [progress, shown] = views(shared);
  const shapes = prototypeShapes();
  let slowestMs = 0;
  let early = 0;
  let done = 0;
  for (let number = first; number <= inputs; number += step) {
    let tookMs = timed(campaign, number, progress, shown);
    // A busy machine may have stopped the clock's owner; a slow input is slow again.
    if (tookMs > slowMs) tookMs = Math.min(tookMs, timed(campaign, number, progress, shown));
    if (tookMs > slowestMs) slowestMs = tookMs;
    if (tookMs > slowMs) tell({ slow: { tookMs, ...seen(progress, shown) } });
    Atomics.add(progress, 0, 1);
    done++;
    if (early === 0 && done === 20_000) early = usedHeap();
    if (done % batch === 0) tell({ done });
  }
  tell({
    done,
    slowestMs,
    growth: early === 0 ? 0 : usedHeap() - early,
    polluted: prototypeShapes() !== shapes,
    outcomes: [...examination.outcomes],
    codes: [...examination.codes],
    failures: examination.failures,
    longestBytes: examination.longestBytes,
  });
}

function timed(campaign, number, progress, shown) {
  const start = performance.now();
  campaign.run(number, (input, other) => show(progress, shown, input, other));
  return performance.now() - start;
}

function usedHeap() {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function prototypeShapes() {
  const owners = [Object, Array, Function, Uint8Array, Map, Set, String, Number, Error];
  return owners.map((owner) => Reflect.ownKeys(owner.prototype).map(String).join()).join(';');
}

function views(shared) {
  return [new Int32Array(shared, 0, 4), new Uint8Array(shared, 16)];
}

function show(progress, shown, input, other) {
  progress[1] = Math.min(input.length, shownBytes);
  progress[2] = Math.min(other.length, shownBytes);
  shown.set(input.subarray(0, shownBytes));
  shown.set(other.subarray(0, shownBytes), shownBytes);
}

function seen(progress, shown) {
  return {
    input: hexOf(shown.slice(0, progress[1])),
    other: hexOf(shown.slice(shownBytes, shownBytes + progress[2])),
  };
}

async function supervise({ inputs, seed, workers }) {
  say(`seed ${seed}, ${inputs} inputs, ${workers} worker(s)`);
  const start = performance.now();
  const done = Array.from({ length: workers }, () => 0);
  const runs = done.map((_, index) =>
    oneWorker({ seed, first: index + 1, step: workers, inputs }, (count) => {
      done[index] = count;
    }),
  );
  const ticker = setInterval(() => {
    const total = done.reduce((sum, count) => sum + count, 0);
    say(`${total} inputs, ${rate(total, start)} inputs/s, ${memory()}`);
  }, 10_000);
  const results = await Promise.all(runs);
  clearInterval(ticker);
  conclude(results, { start, inputs });
}

function rate(total, start) {
  return Math.round((1000 * total) / (performance.now() - start));
}

function memory() {
  return `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB resident`;
}

/** Ends the process where a worker does not come back from an input. */
function oneWorker(data, onProgress) {
  const shared = new SharedArrayBuffer(16 + 2 * shownBytes);
  const [progress, shown] = views(shared);
  const worker = new Worker(new URL(import.meta.url), { workerData: { ...data, shared } });
  let last = -1;
  const watch = setInterval(() => {
    const count = Atomics.load(progress, 0);
    if (count === last && count > 0) {
      const { input, other } = seen(progress, shown);
      say(`STUCK for ${stuckMs} ms\n  --input ${input} --other ${other}`);
      process.exit(1);
    }
    last = count;
  }, stuckMs);
  const slow = [];
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message) => {
      if (message.slow !== undefined) return slow.push(message.slow);
      onProgress(message.done);
      if (message.outcomes === undefined) return;
      clearInterval(watch);
      resolve({ ...message, slow });
    });
  });
}

function conclude(results, { start, inputs }) {
  const outcomes = new Map();
  for (const [outcome, count] of results.flatMap((result) => result.outcomes)) {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
  }
  for (const [outcome, count] of [...outcomes].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    say(`${String(count).padStart(10)}  ${outcome}`);
  }
  const codes = new Set(results.flatMap((result) => result.codes));
  const total = results.reduce((sum, result) => sum + result.done, 0);
  const slowest = Math.max(...results.map((result) => result.slowestMs));
  const growth = Math.max(...results.map((result) => result.growth));
  say(`${total} inputs, ${rate(total, start)} inputs/s, ${Math.round((performance.now() - start) / 1000)} s`);
  say(
    `slowest input ${slowest.toFixed(1)} ms, longest result ${Math.max(...results.map((r) => r.longestBytes))} bytes`,
  );
  say(`heap growth ${(growth / 2 ** 20).toFixed(1)} MiB, ${memory()}`);
  const slow = results.flatMap((result) => result.slow);
  for (const { tookMs, input, other } of slow) say(`SLOW ${tookMs} ms\n  --input ${input} --other ${other}`);
  const failures = results.flatMap((result) => result.failures);
  report(failures);
  const missing = inputs < 100_000 ? [] : everyCode.filter((code) => !codes.has(code));
  const troubles = [
    ...(failures.length > 0 ? [`${failures.length} broken rules`] : []),
    ...(slow.length > 0 ? [`${slow.length} slow inputs`] : []),
    ...(missing.length > 0 ? [`never seen: ${missing.join(', ')}`] : []),
    ...(growth > mostHeapGrowthBytes ? ['memory grows'] : []),
    ...(results.some((result) => result.polluted) ? ['a prototype has changed'] : []),
  ];
  say(troubles.length === 0 ? 'nothing broke' : `FAILED: ${troubles.join('; ')}`);
  process.exitCode = troubles.length === 0 ? 0 : 1;
}

function report(failures) {
  for (const { property, detail, input, other } of failures) {
    say(
      `BROKEN ${property}: ${detail}\n  --input ${hexOf(input)}${other.length > 0 ? ` --other ${hexOf(other)}` : ''}`,
    );
  }
}
