/**
 * Timing that treats all contenders alike: after a warm-up, each round runs every contender for about the same time,
 * and the one that begins moves on from round to round. So what disturbs the machine disturbs all of them, and ratios
 * are taken within a round. Results are added up, so that no engine can leave the work out.
 */

/**
 * @typedef {import('./contender.mjs').Contender} Contender
 * @typedef {{ readonly name: string, readonly run: (count: number) => number }} Task Runs so many operations.
 * @typedef {{ readonly median: number, readonly min: number, readonly max: number }} Spread
 */

/** What the tasks gave; read by the report, so that it is used. */
export const sum = { value: 0 };

/** @param {Task} task @param {number} count @returns {number} Nanoseconds. */
function time(task, count) {
  const start = performance.now();
  sum.value += task.run(count);
  return (performance.now() - start) * 1e6;
}

/** Warms a task up and finds how many operations fill a round. @param {Task} task @param {number} roundMs */
function countFor(task, roundMs) {
  let count = 16;
  for (;;) {
    const ns = time(task, count);
    if (ns >= roundMs * 1e6) return Math.max(1, Math.round((count * roundMs * 1e6) / ns));
    count *= 2;
  }
}

/**
 * Operations per second of every task in every round.
 * @param {readonly Task[]} tasks
 * @param {{ readonly rounds: number, readonly roundMs: number, readonly count?: number }} options `count` fixes the operations of a round.
 * @returns {ReadonlyMap<string, readonly number[]>}
 */
export function rates(tasks, { rounds, roundMs, count }) {
  const counts = tasks.map((task) => count ?? countFor(task, roundMs));
  /** @type {Map<string, number[]>} */
  const found = new Map(tasks.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < tasks.length; turn++) {
      const index = (round + turn) % tasks.length;
      const task = tasks[index];
      globalThis.gc?.();
      found.get(task.name)?.push((counts[index] * 1e9) / time(task, counts[index]));
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
