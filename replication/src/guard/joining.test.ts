/** A new region and its first write (P6): who is waited for, until when, and who never is. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { type Incarnation, parseRegionId, type RegionId } from '../ports/identity.ts';
import type { Mark } from '../ports/incident-store.ts';
import type { PeerEcho } from '../ports/peer-client.ts';
import type { PositionRow } from '../ports/record-store.ts';
import { Joining } from './joining.ts';

const eu = parseRegionId('eu') ?? expect.fail('a region');
const us = parseRegionId('us') ?? expect.fail('a region');
const first = { counter: 1, nonce: 7 };
const partitionCount = 2;
const nothing = {
  rpo: [],
  own: { newest: null, newestCounted: null, logCoveredAtMs: null, logCount: null },
  heard: [],
  progress: [],
};
/** What a peer says that has written nothing. */
const fresh: PeerEcho = { echoedBeat: null, changesAgeMs: null, written: null, namesCaller: true };
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

class World {
  readonly timer = new ManualTimer();
  /** `null`: the peer does not answer. */
  written: Mark | 'nothing' | null = null;
  isOtherSilent = false;
  namesCaller: boolean | null = true;
  rows: readonly PositionRow[] = [];
  isJoining = true;
  closed: readonly RegionId[] = [];

  readonly joining = new Joining({
    peers: [eu, us],
    partitionCount,
    store: {
      isJoining: async () => this.isJoining,
      joined: async () => {
        this.isJoining = false;
      },
    },
    client: { ping: async (peer) => (peer === eu ? this.#echo() : this.isOtherSilent ? null : fresh) },
    beats: { overview: async () => ({ ...nothing, positions: this.rows }) },
    closed: () => this.closed,
    timer: this.timer,
    logger: quiet,
  });

  /** Of all partitions but those named. */
  settle(number: number, incarnation: Incarnation = first, without: readonly number[] = []): void {
    const beat = { number, lsn: 1n, atMs: 0, count: 0, end: 1n };
    this.rows = [0, 1]
      .filter((partition) => !without.includes(partition))
      .map((partition) => {
        const place = { origin: eu, incarnation, partition, applied: 1n, settled: 1n, nextOffset: 0n };
        return { ...place, beat };
      });
  }

  #echo(): PeerEcho | null {
    if (this.written === null) return null;
    const written = this.written === 'nothing' ? null : this.written;
    return { echoedBeat: null, changesAgeMs: null, written, namesCaller: this.namesCaller };
  }
}

const mark = (beat: number, count: number | null = 5, incarnation = first): Mark => ({
  incarnation,
  beat,
  count,
});

test('before anybody was asked all are waited for', () => {
  expect(new World().joining.waitsFor).toEqual([eu, us]);
});

test.each(['nothing', mark(9, 0)] as const)('a peer that says %o is not waited for', async (written) => {
  const world = new World();
  world.written = written;
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
  expect(world.isJoining).toBe(false);
});

test('a peer that does not answer is asked again for five seconds, and then not waited for', async () => {
  const world = new World();
  world.isOtherSilent = true;
  for (const passedMs of [0, 500, 4000]) {
    await world.timer.advance(passedMs);
    await world.joining.look();
    expect(world.joining.waitsFor).toEqual([eu, us]);
  }
  await world.timer.advance(500);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
  expect(world.isJoining).toBe(false);
});

test('what a peer had written that was starting anew when it was first asked is waited for', async () => {
  const world = new World();
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([eu]);
  await world.timer.advance(2000);
  world.written = mark(9);
  await world.joining.look();
  world.written = null;
  await world.timer.advance(60_000);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([eu]);
  world.settle(9);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
});

test('a peer that has written is waited for until all partitions have settled what it had', async () => {
  const world = new World();
  world.written = mark(9);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([eu]);
  world.written = mark(20);
  world.settle(9, first, [1]);
  await world.joining.look();
  world.settle(8);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([eu]);
  expect(world.isJoining).toBe(true);
  world.settle(9);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
  expect(world.isJoining).toBe(false);
});

test('a peer that falls silent meanwhile is still waited for, and its next life stands for it', async () => {
  const world = new World();
  world.written = mark(9);
  await world.joining.look();
  world.written = null;
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([eu]);
  const second = { counter: 2, nonce: 8 };
  world.written = mark(3, 1, second);
  world.settle(9);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([eu]);
  world.settle(3, second);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
});

test('a peer that goes on under another incarnation has written before, whatever it has written since (P9)', async () => {
  const second = { counter: 2, nonce: 8 };
  for (const count of [0, null]) {
    const world = new World();
    world.written = mark(3, count, second);
    await world.joining.look();
    expect(world.joining.waitsFor).toEqual([eu]);
    world.settle(9);
    await world.joining.look();
    expect(world.joining.waitsFor, 'it has settled the life before alone').toEqual([eu]);
    world.settle(3, second);
    await world.joining.look();
    expect(world.joining.waitsFor).toEqual([]);
  }
});

test('a region that has joined once never joins again', async () => {
  const world = new World();
  world.isJoining = false;
  world.written = mark(9);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
});

test('an operator may end the waiting', async () => {
  const world = new World();
  world.written = mark(9);
  await world.joining.look();
  await world.joining.skip();
  expect(world.joining.waitsFor).toEqual([]);
  expect(world.isJoining).toBe(false);
});

test('a peer that turns out to be gone for good is waited for no longer (P8)', async () => {
  const world = new World();
  world.written = mark(9);
  world.settle(3);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([eu]);
  world.closed = [us];
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([eu]);
  world.closed = [eu];
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
});

test('a peer that does not name this region is waited for until it does, also where it has written nothing', async () => {
  const world = new World();
  world.written = 'nothing';
  world.namesCaller = false;
  await world.joining.look();
  expect(world.joining).toMatchObject({ waitsFor: [eu], notNamedBy: [eu] });
  world.written = null;
  await world.joining.look();
  expect(world.joining).toMatchObject({ waitsFor: [eu], notNamedBy: [eu] });
  world.written = mark(9);
  world.namesCaller = true;
  await world.joining.look();
  expect(world.joining).toMatchObject({ waitsFor: [eu], notNamedBy: [] });
  world.settle(9);
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
});

test('a peer of an earlier version does not say whom it names, and one that is gone need not', async () => {
  const world = new World();
  world.written = 'nothing';
  world.namesCaller = null;
  await world.joining.look();
  expect(world.joining.waitsFor).toEqual([]);
  const other = new World();
  other.written = 'nothing';
  other.namesCaller = false;
  await other.joining.look();
  expect(other.joining.waitsFor).toEqual([eu]);
  other.closed = [eu];
  await other.joining.look();
  expect(other.joining.waitsFor).toEqual([]);
});
