/**
 * Plays histories by chance until a number of steps is reached, and says what was seen. History n of a campaign has
 * the seed of the campaign plus n, so any of them is played again alone by its seed. Fails at the first history in
 * which the library breaks a law, and where a situation that is worth testing never came up in a long campaign.
 *
 *     npm run laws -w conflict -- --steps 1000000 --seed 1
 */
import { Coverage, HistoryFailure, runHistory } from '@isthmus/conflict/testing';
import { yjsText } from '@isthmus/conflict/text';
import { numberOf, readOptions } from '../command-line.ts';

const stepsOfHistory = 100;
/** Shorter campaigns may miss a situation by chance. */
const shortestComplete = 50_000;
const progressEveryMs = 10_000;

const usage = 'npm run laws -w conflict -- [--steps N] [--seed N]';
const values = readOptions(usage, { steps: { type: 'string' }, seed: { type: 'string' } });
const steps = numberOf('steps', values['steps'] ?? '10000', 1);
const seed = numberOf('seed', values['seed'] ?? String(Date.now() % 2 ** 31), 0);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const coverage = new Coverage();
const replicas = [0, 0, 0, 0, 0, 0, 0];
const started = performance.now();
let played = 0;
let histories = 0;
let reportedAt = started;

function report(): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const merges = coverage.of('merge');
  print(`${played} of ${steps} steps, ${histories} histories, ${merges} merges, seed ${seed}, ${seconds} s`);
}

function playOne(): void {
  const length = Math.min(stepsOfHistory, steps - played);
  const history = runHistory({ seed: seed + histories, steps: length, text: yjsText });
  coverage.add(history.coverage);
  const count = history.replicas.length;
  replicas[count] = (replicas[count] ?? 0) + 1;
  played += length;
  histories++;
}

function play(): void {
  while (played < steps) {
    playOne();
    if (performance.now() - reportedAt < progressEveryMs) continue;
    reportedAt = performance.now();
    report();
  }
}

try {
  print(`seed ${seed}`);
  play();
} catch (failure) {
  if (!(failure instanceof HistoryFailure)) throw failure;
  print(failure.message);
  process.exit(1);
}
report();
print(
  `histories by replicas: ${replicas
    .map((count, index) => `${index}: ${count}`)
    .slice(1)
    .join(', ')}`,
);
for (const [sight, count] of coverage.counts()) print(`${String(count).padStart(10)}  ${sight}`);
const unseen = coverage.counts().filter(([, count]) => count === 0);
if (unseen.length > 0 && steps >= shortestComplete) {
  print(`never seen: ${unseen.map(([sight]) => sight).join(', ')}`);
  process.exit(1);
}
