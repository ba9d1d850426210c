import { expect, test } from 'vitest';
import { filesOf, isTest } from './tree.ts';

/** Take as many arguments as they are given. */
const takers = /\b(push|unshift|splice|concat|of|max|min|fromCharCode|fromCodePoint|call)\($/;

/** What is spread here is bounded far below what a stack takes. */
const bounded: readonly string[] = [
  // A slice of fixed length.
  'conflict/src/codec/bytes.ts: binary += String.fromCharCode(...bytes.subarray(at, at + mostAtOnce));',
  "replication/src/identity/own-log-tail.ts: if (judged.kind === 'claim') this.#beats.push(...judged.beats.slice(0, maxHeld - this.#beats.length));",
  'replication/src/identity/own-log-tail.ts: const [first, last] = [Math.min(...numbers), Math.max(...numbers)];',
  // Lives of one region.
  'replication/src/transfer/tail-watch.ts: const newest = Math.max(...known.map(({ incarnation }) => incarnation.counter));',
  // Two.
  'replication/src/progress/lag.ts: const missing = changesBetween(settled, Math.max(...counts));',
  'replication/src/transfer/tail-watch.ts: return Math.min(...ages) > silentMs;',
  // One for each peer, partition or region.
  "replication/src/adapters/memory/beats.ts: const needed = Math.min(...settled, published, newest, this.#marks.get('counted') ?? 0);",
  'replication/src/applier/lane.ts: waitedMs: startedMs - Math.min(...taken.map(({ arrivedMs }) => arrivedMs)),',
  'replication/src/identity/peer-evidence.ts: return Math.max(0, ...counters);',
  'replication/src/sessions/session-fit.ts: return Math.max(0, ...[...lives.values()].map(({ length }) => length));',
  'services/region/src/figure-gauges.ts: this.#incidentSeconds.set(age(ages ? Math.max(0, ...ages) / 1000 : null));',
  // Callers of one transaction.
  'replication/src/journal/caller-line.ts: if (passedOver.length > 0) this.#waiting.unshift(...passedOver);',
  'replication/src/journal/caller-line.ts: this.#waiting.unshift(...unserved);',
  // A prefix of a key, which an address carries.
  'replication/src/adapters/key-order.ts: return String.fromCodePoint(...points, next);',
];

test('nothing of unbounded length is spread into a call, which overflows the stack from about 120,000 on (I12)', () => {
  const spread = filesOf('.ts')
    .filter((file) => /^(?:conflict|replication|services\/region)\/src\//.test(file.path))
    .filter((file) => !isTest(file) && !/^conflict\/src\/(?:fuzz|testing|vectors)\//.test(file.path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\.\.\.(?!\w+:)/g)]
        .filter(({ index }) => takers.test(text.slice(0, openedBefore(text, index) + 1)))
        .map(({ index }) => `${path}: ${lineAt(text, index)}`),
    );
  expect([...new Set(spread)].toSorted()).toEqual(bounded.toSorted());
});

/** Place of the bracket that is open at `index`. */
function openedBefore(text: string, index: number): number {
  let closed = 0;
  for (let at = index - 1; at >= 0; at--) {
    const sign = text.charAt(at);
    if (')]}'.includes(sign)) closed++;
    else if ('([{'.includes(sign) && closed-- === 0) return at;
  }
  return -1;
}

function lineAt(text: string, index: number): string {
  const end = text.indexOf('\n', index);
  return text.slice(text.lastIndexOf('\n', index) + 1, end).trim();
}
