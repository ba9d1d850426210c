/** When the next transaction of a busy process begins. The store of these tests is as quick as the test says. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { actorOf, parseRegionId } from '../ports/identity.ts';
import type { LocalTransaction } from '../ports/record-store.ts';
import { Journal } from './journal.ts';

const region = parseRegionId('eu');
const state = new Uint8Array([1]);
const paceMs = 10;
const commitMs = 2;

class Site {
  readonly timer = new ManualTimer();
  /** Every transaction: when it began, and of how many edits. */
  readonly begun: (readonly [atMs: number, edits: number])[] = [];
  readonly answered: string[] = [];
  readonly journal: Journal;
  isBusy = true;

  constructor() {
    if (region === null) throw new Error('no region');
    this.journal = new Journal({
      store: { commitLocal: (transaction) => this.#commit(transaction) },
      clock: { nowMs: () => 1_700_000_000_000 },
      actor: actorOf(region, { counter: 1, nonce: 1 }),
      timer: this.timer,
      maxWaitingEdits: 2000,
      paceMs: () => (this.isBusy ? paceMs : 0),
      onBatch: () => undefined,
    });
  }

  /** One caller for each key, none waiting for another. */
  write(...keys: readonly string[]): void {
    for (const key of keys) {
      const id = { collection: 'products', key };
      const edit = () => ({ kind: 'write' as const, state, delta: state, result: key });
      void this.journal.write([{ id, edit }]).then(() => this.answered.push(key));
    }
  }

  async #commit(transaction: LocalTransaction): Promise<null> {
    this.begun.push([this.timer.monotonicMs(), transaction.ids.length]);
    const states = transaction.ids.map(() => new Uint8Array());
    await transaction.decide({ states, floor: 0, floorMs: 0 });
    await new Promise<void>((resolve) => this.timer.after(commitMs, resolve));
    return null;
  }
}

test('a busy process lets those who come soon after share the next transaction', async () => {
  const site = new Site();
  site.write('a', 'b', 'c');
  await site.timer.advance(commitMs + 1);
  site.write('d');
  await site.timer.advance(20);
  expect(site.begun).toEqual([
    [0, 1],
    [paceMs, 3],
  ]);
  expect(site.answered).toEqual(['a', 'b', 'c', 'd']);
});

test('a process with time to spare begins the next one at once', async () => {
  const site = new Site();
  site.isBusy = false;
  site.write('a', 'b', 'c');
  await site.timer.advance(20);
  expect(site.begun).toEqual([
    [0, 1],
    [commitMs, 2],
  ]);
});

test('callers that come one by one never wait for company', async () => {
  const site = new Site();
  for (const key of ['a', 'b', 'c']) {
    site.write(key);
    await site.timer.advance(commitMs);
  }
  expect(site.begun).toEqual([
    [0, 1],
    [commitMs, 1],
    [2 * commitMs, 1],
  ]);
});

test('many edits wait for no others', async () => {
  const site = new Site();
  site.write('a', 'b', 'c');
  await site.timer.advance(paceMs + commitMs + 1);
  const { length } = site.begun;
  site.write(...Array.from({ length: 60 }, (_, index) => `k${index}`));
  await site.timer.advance(1);
  expect(site.begun.slice(length)).toEqual([[paceMs + commitMs + 1, 50]]);
  await site.timer.advance(paceMs + commitMs);
  expect(site.answered).toHaveLength(63);
});

test('a journal that closes answers whoever waits for company', async () => {
  const site = new Site();
  site.write('a', 'b', 'c', 'd');
  await site.timer.advance(commitMs);
  expect(site.answered).toEqual(['a']);
  const closed = site.journal.close();
  await site.timer.advance(commitMs);
  await closed;
  expect(site.answered).toEqual(['a', 'b', 'c', 'd']);
});
