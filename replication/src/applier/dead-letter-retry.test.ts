import { schema } from '@isthmus/conflict';
import { expect, test, vi } from 'vitest';
import { AgendaWatch } from '../agenda-watch.ts';
import { MemoryAgendaStore } from '../adapters/memory/agenda-store.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { ReplicationError } from '../errors.ts';
import { actorOf, parseRegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import { batchOf, decide } from './batch.ts';
import { DeadLetterRelease, retryDeadLetter } from './dead-letter-retry.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 5 };
const products = schema({ title: { type: 'register' } }, { deletes: 'add-wins' });
const startMs = 1_700_000_000_000;
const maxDriftMs = 60_000;
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A region whose clock a peer is ahead of; beat by beat its time passes. */
class World {
  readonly timer = new ManualTimer();
  readonly records = new MemoryRecordStore();
  isClockKnown = true;
  readonly clock = {
    nowMs: () => {
      if (this.isClockKnown) return startMs + this.timer.monotonicMs();
      throw new ReplicationError('clock-unknown', 'never read', { retriable: true });
    },
  };
  readonly agenda = new AgendaWatch({
    store: new MemoryAgendaStore(this),
    timer: this.timer,
    logger: silent,
  });
  readonly release = new DeadLetterRelease({
    agenda: this.agenda,
    letters: this.records.deadLetters,
    clock: this.clock,
    maxDriftMs,
    logger: silent,
  });
  #applied = 0n;

  constructor() {
    this.agenda.start();
  }

  /** A change of the peer, stamped by its clock, arrives. */
  async arrive(title: string, stampMs: number): Promise<void> {
    const context = { actor: actorOf(us, incarnation), floor: Number(this.#applied), now: stampMs };
    const { delta } = products.edit(new Uint8Array(0), context, (editor) => editor.set('title', title));
    const lsn = this.#applied + 1n;
    const change = { collection: 'products', key: title, delta, lsn, index: 0 };
    const batch = batchOf([{ partition: 0, changes: [change] }]);
    const row = { origin: us, incarnation, partition: 0, applied: 0n, settled: 0n };
    await this.records.createPosition({ ...row, beat: null, nextOffset: 0n });
    const move = { incarnation, partition: 0, expected: this.#applied, applied: lsn };
    await this.records.applyRemote({
      origin: us,
      positions: [{ ...move, beat: null, nextOffset: 0n }],
      ids: batch.ids,
      decide: (states) => decide(batch, states, this.clock.nowMs() + maxDriftMs),
    });
    this.#applied = lsn;
  }

  /** Changes of several commits arrive in one transaction. */
  async arriveTogether(
    places: readonly { readonly lsn: bigint; readonly index: number }[],
    stampMs: number,
  ): Promise<void> {
    const changes = places.map(({ lsn, index }) => {
      const key = `${lsn}-${index}`;
      const context = { actor: actorOf(us, incarnation), floor: index, now: stampMs };
      const { delta } = products.edit(new Uint8Array(0), context, (editor) => editor.set('title', key));
      return { collection: 'products', key, delta, lsn, index };
    });
    const batch = batchOf([{ partition: 0, changes }]);
    const row = { origin: us, incarnation, partition: 0, applied: 0n, settled: 0n };
    await this.records.createPosition({ ...row, beat: null, nextOffset: 0n });
    const applied = places.at(-1)?.lsn ?? 0n;
    const move = { incarnation, partition: 0, expected: this.#applied, applied, beat: null, nextOffset: 0n };
    await this.records.applyRemote({
      origin: us,
      positions: [move],
      ids: batch.ids,
      decide: (states) => decide(batch, states, this.clock.nowMs() + maxDriftMs),
    });
    this.#applied = applied;
  }

  async title(key: string): Promise<unknown> {
    const state = await this.records.read({ collection: 'products', key });
    return state === null ? null : products.read(state).value;
  }

  async settled(): Promise<bigint | undefined> {
    return (await this.records.positions(us))[0]?.settled;
  }
}

test('a change from too far ahead waits until time has caught up, and is then applied by itself (P3, P4)', async () => {
  const world = new World();
  await world.arrive('ahead', startMs + maxDriftMs + 5000);
  await world.arrive('near', startMs + maxDriftMs - 5000);
  expect(await world.title('near')).toEqual({ title: 'near' });
  world.release.start();
  await world.timer.advance(4500);
  expect(await world.title('ahead')).toBeNull();
  expect(await world.settled()).toBe(0n);
  await world.timer.advance(2000);
  expect(await world.title('ahead')).toEqual({ title: 'ahead' });
  expect(await world.settled()).toBe(2n);
  expect(await world.records.countDeadLetters()).toEqual([]);
  await world.release.stop();
});

test('many are released in one turn, by few transactions and in the order of the log', async () => {
  const world = new World();
  const count = 2100;
  for (let index = 0; index < count; index++)
    await world.arrive(`n${index}`, startMs + maxDriftMs + 1000 - (index % 7));
  const retrying = vi.spyOn(world.records.deadLetters, 'retry');
  world.release.start();
  await world.timer.advance(2000);
  expect(await world.records.countDeadLetters()).toEqual([]);
  expect(await world.title(`n${count - 1}`)).toEqual({ title: `n${count - 1}` });
  const batches = retrying.mock.calls.map(([places]) => places.map(({ lsn }) => lsn));
  expect(batches.map(({ length }) => length)).toEqual([500, 500, 500, 500, 100]);
  for (const lsns of batches) expect(lsns).toEqual(lsns.toSorted((a, b) => Number(a - b)));
  await world.release.stop();
});

test('letters of one commit are released in one transaction', async () => {
  const world = new World();
  const deltas = Array.from({ length: 600 }, (_, index) => ({
    lsn: BigInt(1 + Math.floor(index / 400)),
    index,
  }));
  await world.arriveTogether(deltas, startMs + maxDriftMs + 1000);
  const retrying = vi.spyOn(world.records.deadLetters, 'retry');
  world.release.start();
  await world.timer.advance(2000);
  expect(retrying.mock.calls.map(([places]) => places.length)).toEqual([400, 200]);
  await world.release.stop();
});

test('letters on records that are too large together are released in parts, also those of one commit', async () => {
  const world = new World();
  const places = Array.from({ length: 100 }, (_, index) => ({ lsn: index < 90 ? 1n : 2n, index }));
  await world.arriveTogether(places, startMs + maxDriftMs + 1000);
  const context = { actor: actorOf(us, incarnation), floor: 1000, now: startMs };
  const title = 'x'.repeat(200_000);
  const { state } = products.edit(new Uint8Array(0), context, (editor) => editor.set('title', title));
  for (const { lsn, index } of places)
    await world.records.commitLocal({
      ids: [{ collection: 'products', key: `${lsn}-${index}` }],
      decide: () => [{ index: 0, state, delta: new Uint8Array(1) }],
    });
  const retrying = vi.spyOn(world.records.deadLetters, 'retry');
  world.release.start();
  await world.timer.advance(2000);
  expect(await world.records.countDeadLetters()).toEqual([]);
  const done = await Promise.allSettled(retrying.mock.results.map(({ value }) => value as unknown));
  const sizes = retrying.mock.calls.map(([tried]) => tried.length);
  expect(sizes.filter((_, at) => done[at]?.status === 'fulfilled')).toEqual([45, 45, 10]);
  await world.release.stop();
});

test('letters that cannot be released hold up none behind them', async () => {
  const world = new World();
  for (let index = 0; index < 1001; index++) await world.arrive(`n${index}`, startMs + maxDriftMs + 1000);
  const { deadLetters } = world.records;
  const retry = deadLetters.retry.bind(deadLetters);
  vi.spyOn(deadLetters, 'retry').mockImplementation(async (places, decideRetry) => {
    if (places[0]?.lsn === 1n) throw new ReplicationError('overloaded', 'locked', { retriable: true });
    return retry(places, decideRetry);
  });
  world.release.start();
  await world.timer.advance(2000);
  expect(await world.title('n0')).toBeNull();
  expect(await world.title('n1000')).toEqual({ title: 'n1000' });
  await world.release.stop();
});

test('a clock that is not known yet releases nothing and ends nothing', async () => {
  const world = new World();
  await world.arrive('ahead', startMs + maxDriftMs + 1000);
  world.isClockKnown = false;
  world.release.start();
  await world.timer.advance(5000);
  expect(await world.title('ahead')).toBeNull();
  world.isClockKnown = true;
  await world.timer.advance(1000);
  expect(await world.title('ahead')).toEqual({ title: 'ahead' });
  await world.release.stop();
});

test('a person may try one at any time; too early it is kept with its reason, and a dry run changes nothing', async () => {
  const world = new World();
  await world.arrive('ahead', startMs + maxDriftMs + 5000);
  const options = { letters: world.records.deadLetters, clock: world.clock, maxDriftMs };
  const [letter] = await options.letters.list({ after: null, limit: 1 });
  if (letter === undefined) return expect.fail('a change was put aside');
  const early = await retryDeadLetter(options, letter, false);
  expect(early).toMatchObject({ outcome: 'kept', cause: 'clock-too-far-ahead' });
  await world.timer.advance(6000);
  expect(await retryDeadLetter(options, letter, true)).toEqual({ outcome: 'applied' });
  expect(await world.title('ahead')).toBeNull();
  expect(await retryDeadLetter(options, letter, false)).toEqual({ outcome: 'applied' });
  expect(await world.title('ahead')).toEqual({ title: 'ahead' });
  expect(await retryDeadLetter(options, letter, false)).toEqual({ outcome: 'gone' });
});
