/** P9: a log with all its claims may be gone, and then only peers know which lives a region had. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { decodeClaim, encodeClaim } from '../log/claim-record.ts';
import type { FeedSubscription } from '../ports/change-feed.ts';
import { type Incarnation, parseRegionId, type RegionId } from '../ports/identity.ts';
import type { Continuity } from '../ports/identity-store.ts';
import type { RememberedBeat } from '../ports/peer-memory.ts';
import { OwnLogEvidence } from './own-log-evidence.ts';
import { renewIncarnation } from './renewal.ts';

const [eu, us, ap] = ['eu', 'us', 'ap'].map((name) => parseRegionId(name) ?? expect.fail('a region'));
const incarnation = { counter: 1, nonce: 7 };

const notAsked = (): never => expect.fail('nothing else is asked');
const empty = (): FeedSubscription => ({
  connected: true,
  next: async () => null,
  rewind: notAsked,
  close: async () => undefined,
});

class World {
  readonly timer = new ManualTimer();
  standing: Continuity['kind'] = 'same';
  told: RememberedBeat | 'nothing' | null = 'nothing';
  apTold: RememberedBeat | 'nothing' | null = 'nothing';
  closed: readonly RegionId[] = [];
  readonly claims: Uint8Array[] = [];
  readonly adopted: number[] = [];
  readonly otherLives: string[] = [];
  readonly #self = { region: eu ?? expect.fail(), incarnation, partitionCount: 1 };
  readonly #control = {
    read: async () => this.claims,
    append: async (bytes: Uint8Array) => void this.claims.push(bytes),
    close: async () => undefined,
  };
  readonly evidence = new OwnLogEvidence({
    self: this.#self,
    peers: [us ?? expect.fail(), ap ?? expect.fail()],
    closed: () => this.closed,
    memory: { rememberedBy: async (peer) => (peer === us ? this.told : this.apTold) },
    control: this.#control,
    timer: this.timer,
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    log: {
      newestProgress: async () => null,
      spans: notAsked,
      subscribe: notAsked,
      tail: empty,
      claims: empty,
    },
    past: new PastOf(this),
    records: { read: notAsked, positions: notAsked },
    prepareLog: notAsked,
  });

  /** How an attempt ends. */
  async renew(): Promise<string> {
    const outcome = await renewIncarnation({
      self: this.#self,
      evidence: this.evidence,
      control: this.#control,
      isAlone: async () => true,
      newNonce: () => 4242,
      signal: new AbortController().signal,
      past: {
        continuity: async () => ({ kind: 'same' }),
        claim: async () => null,
        noteClaim: async (claim) => claim,
        adopt: async ({ claim }) => void this.adopted.push(claim.counter),
        hold: async () => undefined,
      },
    });
    return outcome.kind;
  }

  /** Two looks at what peers know. */
  async look(): Promise<readonly string[]> {
    this.evidence.start({
      onForeign: notAsked,
      onOtherLife: async (reason) => void this.otherLives.push(reason),
    });
    await this.timer.advance(6000);
    await this.evidence.stop();
    return this.otherLives;
  }
}

class PastOf {
  readonly #world: World;
  readonly newestBeat = notAsked;
  readonly beats = notAsked;
  readonly claim = notAsked;

  constructor(world: World) {
    this.#world = world;
  }

  get standing(): Continuity['kind'] {
    return this.#world.standing;
  }
}

function knows(counter: number, nonce = 9): RememberedBeat {
  return { incarnation: { counter, nonce }, number: 40, made: null, applied: null };
}

function claimOf(claimed: Incarnation): Uint8Array {
  return encodeClaim({ region: eu ?? expect.fail(), incarnation: claimed });
}

test('takes an incarnation above those that peers know', async () => {
  const world = new World();
  world.told = knows(3);
  expect(await world.renew()).toBe('taken');
  expect(world.adopted).toEqual([4]);
  expect(world.claims.map((bytes) => decodeClaim(bytes).incarnation.counter)).toEqual([4]);
});

test('takes none below that of a peer that was silent for a moment, and makes no claim meanwhile', async () => {
  const world = new World();
  world.told = null;
  expect(await world.renew()).toBe('given-up');
  expect([world.adopted, world.claims]).toEqual([[], []]);
  world.told = knows(3);
  await world.timer.advance(1000);
  expect(await world.renew()).toBe('taken');
  expect(world.adopted).toEqual([4]);
});

test('goes on without peers that are silent for longer, with what any of them has said (I8)', async () => {
  const world = new World();
  [world.told, world.apTold] = [null, knows(5)];
  expect(await world.renew()).toBe('given-up');
  world.apTold = null;
  await world.timer.advance(4900);
  expect(await world.renew()).toBe('given-up');
  await world.timer.advance(100);
  expect(await world.renew()).toBe('taken');
  expect(world.adopted).toEqual([6]);
});

test('does not wait for a peer that is gone for good', async () => {
  const world = new World();
  world.told = null;
  world.closed = [us ?? expect.fail()];
  expect(await world.renew()).toBe('taken');
  expect(world.adopted).toEqual([2]);
});

test.each([
  ['a higher life', knows(3), [], true],
  ['another life of its own counter', knows(1, 8), [], true],
  ['the life that it is', knows(1, 7), [], false],
  ['nothing', 'nothing', [], false],
  ['a life that somebody has claimed in the own log', knows(3), [claimOf({ counter: 3, nonce: 9 })], false],
  ['the life that won the claim of its counter', knows(1, 8), [claimOf({ counter: 1, nonce: 8 })], false],
] as const)('a peer that answers later and knows %s', async (_, told, claims, isAlarm) => {
  const world = new World();
  world.told = told;
  world.claims.push(...claims);
  expect((await world.look()).length > 0).toBe(isAlarm);
});

test('a database that is compared or renewed is not judged by which lives peers know', async () => {
  const world = new World();
  world.told = knows(3);
  world.standing = 'unproven';
  expect(await world.look()).toEqual([]);
});
