/** Peers as witnesses (P1): what breaks the proof, what does not, and who counts as somebody else. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { parseRegionId } from '../ports/identity.ts';
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
  standing: Continuity['kind'] = 'same';
  /** What us remembers; ap is never there. */
  told: RememberedBeat | 'nothing' | null = null;
  readonly foreign: string[] = [];
  onAsked: () => void = () => undefined;

  readonly evidence = new PeerEvidence({
    self: { region: eu, incarnation, partitionCount: 2 },
    peers: [us, ap],
    memory: {
      rememberedBy: async (peer) => {
        this.onAsked();
        return peer === us ? this.told : null;
      },
    },
    past: this,
    timer: this.timer,
    logger: quiet,
  });

  async newestBeat() {
    return { beat: { number: this.own, lsn: 1n, atMs: 0 }, hasPublished: true };
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

const beat = (number: number, of = incarnation): RememberedBeat => ({ incarnation: of, number });
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

test('peers that do not answer are waited for a while, and not for ever (I8)', async () => {
  const world = new World();
  await expect(world.verdict()).rejects.toMatchObject({ code: 'log-unavailable', retriable: true });
  await world.timer.advance(4000);
  await expect(world.verdict()).rejects.toMatchObject({ code: 'log-unavailable' });
  await world.timer.advance(2000);
  expect(await world.verdict()).toBe('continues');
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

test('where nobody answers nobody is called alone', async () => {
  const world = new World();
  const unavailable = { code: 'log-unavailable' };
  await expect(world.isAlone(() => undefined)).rejects.toMatchObject(unavailable);
  world.told = beat(1);
  await expect(world.isAlone(() => (world.told = null))).rejects.toMatchObject(unavailable);
});

test('a new incarnation is counted above what peers have heard', async () => {
  const world = new World();
  expect(await world.evidence.highestCounter()).toBe(0);
  world.told = beat(1, later);
  expect(await world.evidence.highestCounter()).toBe(3);
});

test('a second database is found while all is well', async () => {
  const world = new World();
  world.told = beat(10);
  world.evidence.start(async (reason) => void world.foreign.push(reason));
  await world.timer.advance(6000);
  expect(world.foreign).toEqual([]);
  world.told = beat(12);
  await world.timer.advance(6000);
  expect(world.foreign[0]).toMatch(/us has received beat 12, .* another database writes as eu/);
  await world.evidence.stop();
});

test('a database that was set back while peers were asked is left to the comparison', async () => {
  const world = new World();
  world.told = beat(10);
  world.evidence.start(async (reason) => void world.foreign.push(reason));
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
