/** Peers as witnesses (P1): what breaks the proof, what does not, and who counts as somebody else. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import type { Beat } from '../ports/change.ts';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import type { Continuity } from '../ports/identity-store.ts';
import type { RememberedBeat } from '../ports/peer-memory.ts';
import { PeerEvidence } from './peer-evidence.ts';

const eu = parseRegionId('eu') ?? expect.fail('a region');
const us = parseRegionId('us') ?? expect.fail('a region');
const ap = parseRegionId('ap') ?? expect.fail('a region');
const incarnation = { counter: 2, nonce: 7 };
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

class World {
  readonly timer = new ManualTimer();
  own = 10;
  /** Since the server was started, beyond everything that it had found. */
  writtenSinceBytes = 0n;
  standing: Continuity['kind'] = 'same';
  /** What us remembers. */
  told: RememberedBeat | 'nothing' | null = null;
  /** The same of ap, which has never heard of the region. */
  apTold: RememberedBeat | 'nothing' | null = 'nothing';
  closed: readonly RegionId[] = [];
  readonly foreign: string[] = [];
  readonly otherLives: string[] = [];
  onAsked: () => void = () => undefined;

  readonly evidence = new PeerEvidence({
    self: { region: eu, incarnation, partitionCount: 2 },
    peers: [us, ap],
    closed: () => this.closed,
    memory: {
      rememberedBy: async (peer) => {
        this.onAsked();
        return peer === us ? this.told : this.apTold;
      },
    },
    past: this,
    timer: this.timer,
    logger: quiet,
  });

  async newestBeat() {
    return { beat: { number: this.own, ...made(this.own) }, hasPublished: true };
  }

  /** A beat and something after it. */
  async recoveredTo() {
    return made(this.own).lsn + 50n;
  }

  async insertLsn() {
    return (await this.recoveredTo()) + this.writtenSinceBytes;
  }

  async beats(from: number): Promise<readonly Beat[]> {
    return from > this.own ? [] : [{ number: from, ...made(from) }];
  }

  start(): void {
    this.evidence.start({
      onForeign: async (reason) => void this.foreign.push(reason),
      onOtherLife: async (reason) => void this.otherLives.push(reason),
    });
  }

  async verdict(): Promise<string> {
    return (await this.evidence.compare()).kind;
  }

  /** Whether it is alone, where this happens meanwhile. */
  async isAlone(meanwhile: () => void): Promise<boolean> {
    const asked = this.evidence.isAlone(1000);
    // It may reject before the test looks at it.
    asked.catch(() => undefined);
    await this.timer.advance(500);
    meanwhile();
    await this.timer.advance(1000);
    return asked;
  }
}

function made(number: number) {
  return { lsn: BigInt(100 * number), atMs: 250.125 * number };
}

const beat = (number: number, of = incarnation): RememberedBeat => ({
  incarnation: of,
  number,
  made: made(number),
  applied: null,
});
const former = { counter: 1, nonce: 3 };
const later = { counter: 3, nonce: 3 };
const twin = { counter: 2, nonce: 8 };

test.each([
  ['nothing', 'continues'],
  [beat(10), 'continues'],
  [beat(99, former), 'continues'],
  [beat(11), 'broken'],
  [beat(1, later), 'broken'],
  [beat(1, twin), 'broken'],
] as const)('a peer that remembers %o: %s', async (told, kind) => {
  const world = new World();
  world.told = told;
  expect(await world.verdict()).toBe(kind);
});

test.each([
  ['at another time', { lsn: 800n, atMs: 1900 }],
  ['at another place', { lsn: 801n, atMs: 2001 }],
])('a peer that has received a beat %s than the database has knows another past', async (_, other) => {
  const world = new World();
  [world.told, world.apTold] = [beat(8), beat(8)];
  expect(await world.verdict()).toBe('continues');
  world.apTold = { incarnation, number: 8, made: other, applied: null };
  expect(await world.verdict()).toBe('broken');
  // A peer of an earlier version tells the number alone.
  world.apTold = { incarnation, number: 8, made: null, applied: null };
  await world.timer.advance(1000);
  expect(await world.verdict()).toBe('continues');
});

test('a peer that has applied what lies beyond the end of the database proves a loss between two beats', async () => {
  const world = new World();
  world.told = { ...beat(10), applied: 1050n };
  expect(await world.verdict()).toBe('continues');
  world.told = { ...beat(10), applied: 1051n };
  expect(await world.verdict()).toBe('broken');
  world.told = { ...beat(99, former), applied: 9999n };
  expect(await world.verdict()).toBe('continues');
});

test("what a start writes to the log hides no loss from a comparison, and is nobody else's later (P1, I11)", async () => {
  const world = new World();
  world.writtenSinceBytes = 516_584n;
  world.told = { ...beat(10), applied: 1050n + 576n };
  expect(await world.verdict()).toBe('broken');
  world.start();
  await world.timer.advance(6000);
  expect(world.foreign).toEqual([]);
});

test('a peer that is silent may hold more, so a database that waited for it goes on as another life (I8, I11)', async () => {
  const world = new World();
  [world.told, world.apTold] = [beat(10), null];
  await expect(world.verdict()).rejects.toMatchObject({ code: 'log-unavailable', retriable: true });
  await world.timer.advance(4000);
  await expect(world.verdict()).rejects.toMatchObject({ code: 'log-unavailable' });
  await world.timer.advance(2000);
  expect(await world.verdict()).toBe('untold');
  world.apTold = beat(10);
  expect(await world.verdict()).toBe('continues');
});

test('a peer that is gone for good is not waited for', async () => {
  const world = new World();
  [world.told, world.apTold] = [beat(10), null];
  world.closed = [ap];
  expect(await world.verdict()).toBe('continues');
});

test('what was answered before the server was started anew does not speak for it', async () => {
  const world = new World();
  world.told = beat(10);
  world.start();
  await world.timer.advance(6000);
  [world.standing, world.told, world.apTold] = ['unproven', null, null];
  await expect(world.verdict()).rejects.toMatchObject({ code: 'log-unavailable' });
  await world.evidence.stop();
});

test('beats that go on arriving at a peer are somebody else, own ones on their way are not', async () => {
  const world = new World();
  world.told = beat(8);
  expect(await world.isAlone(() => (world.told = beat(10)))).toBe(true);
  expect(await world.isAlone(() => (world.told = beat(11)))).toBe(false);
  world.told = beat(20);
  expect(await world.isAlone(() => undefined)).toBe(true);
  expect(await world.isAlone(() => (world.told = beat(21)))).toBe(false);
  expect(await world.isAlone(() => (world.told = beat(1, later)))).toBe(false);
});

test('where nobody answers for a moment nobody is called alone, and after a while nobody can be heard', async () => {
  const world = new World();
  world.apTold = null;
  const unavailable = { code: 'log-unavailable' };
  await expect(world.isAlone(() => undefined)).rejects.toMatchObject(unavailable);
  world.told = beat(1);
  await expect(world.isAlone(() => (world.told = null))).rejects.toMatchObject(unavailable);
  await world.timer.advance(5000);
  expect(await world.isAlone(() => undefined)).toBe(true);
});

test('a new incarnation is counted above what peers have heard', async () => {
  const world = new World();
  expect(await world.evidence.highestCounter()).toBe(0);
  world.told = beat(1, later);
  await world.verdict();
  expect(await world.evidence.highestCounter()).toBe(3);
});

test('a second database is found while all is well', async () => {
  const world = new World();
  world.told = beat(10);
  world.start();
  await world.timer.advance(6000);
  expect(world.foreign).toEqual([]);
  world.told = beat(12);
  await world.timer.advance(6000);
  expect(world.foreign[0]).toMatch(/us has received beat 12, .* another database writes as eu/);
  await world.evidence.stop();
});

test('a second database is found also where its beats have the numbers of the own ones', async () => {
  const world = new World();
  world.told = { incarnation, number: 7, made: { lsn: 700n, atMs: 99_000 }, applied: null };
  world.start();
  await world.timer.advance(6000);
  expect(world.foreign[0]).toMatch(/us has received beat 7, and it is another/);
  await world.evidence.stop();
});

test('a life that is known at a peer and is not the own is left for a third one', async () => {
  const world = new World();
  world.told = beat(1, twin);
  world.start();
  await world.timer.advance(6000);
  expect([world.foreign, world.otherLives.length > 0]).toEqual([[], true]);
  await world.evidence.stop();
});

test('who goes on under the life before is somebody else, and who only catches up with it is not', async () => {
  const world = new World();
  const told = (number: number, lsn: bigint): RememberedBeat => ({
    incarnation: former,
    number,
    made: { lsn, atMs: 0 },
    applied: null,
  });
  world.told = told(40, 400n);
  world.start();
  await world.timer.advance(5001);
  world.told = told(60, 600n);
  await world.timer.advance(5001);
  expect(world.foreign).toEqual([]);
  // The present life has begun before its beat 10, at 1000.
  world.told = told(200, 2000n);
  await world.timer.advance(5001);
  expect(world.foreign[0]).toMatch(/us goes on receiving beats of incarnation 1: another database writes/);
  await world.evidence.stop();
});

test('a database that was set back while peers were asked is left to the comparison', async () => {
  const world = new World();
  world.told = beat(10);
  world.start();
  await world.timer.advance(4999);
  world.onAsked = () => {
    [world.own, world.standing] = [5, 'unproven'];
  };
  await world.timer.advance(10);
  expect([world.own, world.foreign]).toEqual([5, []]);
  expect(await world.verdict()).toBe('broken');
  await world.evidence.stop();
});

test('what a peer has said stays said when it falls silent, until the database holds it', async () => {
  const world = new World();
  world.told = beat(11);
  expect(await world.verdict()).toBe('broken');
  world.told = null;
  await world.timer.advance(60_000);
  expect(await world.verdict()).toBe('broken');
  world.own = 11;
  await expect(world.verdict()).rejects.toMatchObject({ code: 'log-unavailable' });
});
