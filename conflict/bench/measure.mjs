/**
 * Timing that treats all contenders alike: after a warm-up, each round runs every contender for about the same time,
 * and the one that begins moves on from round to round. So what disturbs the machine disturbs all of them, and ratios
 * are taken within a round. Processor time, of all threads with the collector's, is taken beside the clock's, because
 * on a busy machine a clock also measures who else had the core. Results are added up, so that no work can be left out.
 */

/**
 * @typedef {import('./contender.mjs').Contender} Contender
 * @typedef {{ readonly name: string, readonly run: (count: number) => number }} Task Runs so many operations.
 * @typedef {{ readonly byClock: readonly number[], readonly byProcessor: readonly number[] }} Rates Operations per second, by round.
 * @typedef {{ readonly median: number, readonly min: number, readonly max: number }} Spread
 */

/** What the tasks gave; read by the report, so that it is used. */
export const sum = { value: 0 };

/** Before the first round, so that engines have compiled what they will. */
const warmRounds = 25;

/** @param {Task} task @param {number} count Seconds that so many operations take. */
function time(task, count) {
  const used = process.cpuUsage();
  const start = performance.now();
  sum.value += task.run(count);
  const clock = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(used);
  return { clock, processor: (user + system) / 1e6 };
}

/** Runs a task until engines have compiled it; gives the operations that fill a round. @param {Task} task @param {number} [roundMs] */
export function warm(task, roundMs = 20) {
  let count = 1;
  for (let spentMs = 0; spentMs < warmRounds * roundMs; ) {
    const ms = 1e3 * time(task, count).clock;
    spentMs += ms;
    count = Math.max(1, Math.round(Math.min(4 * count, (count * roundMs) / ms)));
  }
  return count;
}

/**
 * Operations per second of every task in every round. Garbage is collected once a round: engines drop the compiled
 * code of what has not run for a few collections, so collecting before each turn would time their compilers.
 * @param {readonly Task[]} tasks
 * @param {{ readonly rounds: number, readonly roundMs: number, readonly count?: number }} options `count` fixes the operations of a round; then none is run untimed, and nothing is collected by force, because sweeping millions of records would go on in the rounds.
 * @returns {ReadonlyMap<string, Rates>}
 */
export function rates(tasks, { rounds, roundMs, count }) {
  const counts = tasks.map((task) => count ?? warm(task, roundMs));
  /** @type {Map<string, { byClock: number[], byProcessor: number[] }>} */
  const found = new Map(tasks.map(({ name }) => [name, { byClock: [], byProcessor: [] }]));
  for (let round = 0; round < rounds; round++) {
    if (count === undefined) globalThis.gc?.();
    for (let turn = 0; turn < tasks.length; turn++) {
      const index = (round + turn) % tasks.length;
      const task = tasks[index];
      if (count === undefined) time(task, Math.ceil(counts[index] / 8));
      const seconds = time(task, counts[index]);
      found.get(task.name)?.byClock.push(counts[index] / seconds.clock);
      found.get(task.name)?.byProcessor.push(counts[index] / seconds.processor);
    }
  }
  return found;
}

/** @param {readonly number[]} numbers @returns {Spread} */
export function spreadOf(numbers) {
  const ascending = numbers.toSorted((a, b) => a - b);
  const middle = ascending.length / 2;
  const median = ((ascending[Math.ceil(middle) - 1] ?? 0) + (ascending[Math.floor(middle)] ?? 0)) / 2;
  return { median, min: ascending[0] ?? 0, max: ascending.at(-1) ?? 0 };
}

/** Ratios within rounds. @param {readonly number[]} ours @param {readonly number[]} theirs */
export const ratioOf = (ours, theirs) =>
  spreadOf(ours.map((rate, round) => rate / (theirs[round] ?? Number.NaN)));
