/** P9: a log with all its claims may be gone, and then only peers know which lives a region had. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { decodeClaim, encodeClaim } from '../log/claim-record.ts';
import type { Beat } from '../ports/change.ts';
import type { FeedSubscription } from '../ports/change-feed.ts';
import { type Incarnation, parseRegionId, type RegionId } from '../ports/identity.ts';
import type { Continuity } from '../ports/identity-store.ts';
import type { PositionRow } from '../ports/record-store.ts';
import type { RememberedBeat } from '../ports/peer-memory.ts';
import { OwnLogEvidence } from './own-log-evidence.ts';
import { renewIncarnation } from './renewal.ts';

const [eu, us, ap] = ['eu', 'us', 'ap'].map((name) => parseRegionId(name) ?? expect.fail('a region'));
const former = { counter: 1, nonce: 3 };
const incarnation = { counter: 2, nonce: 7 };

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
  readonly foreign: string[] = [];
  /** Newest beat of the database. */
  own = 50;
  /** What it has learnt of its earlier lives. */
  positions: readonly PositionRow[] = [];
  isLearning = false;
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
    records: { read: notAsked, positions: async () => this.positions },
    isLearning: async () => this.isLearning,
    prepareLog: notAsked,
  });

  /** How an attempt ends. */
  async renew(): Promise<string> {
    const outcome = await renewIncarnation({
      self: this.#self,
      evidence: this.evidence,
      control: this.#control,
      confirm: async () => {},
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

  /** Two looks at what peers know, and what happens between. */
  async look(between: () => void = () => undefined): Promise<readonly string[]> {
    this.evidence.start({
      onForeign: async (reason) => void this.foreign.push(reason),
      onOtherLife: async (reason) => void this.otherLives.push(reason),
    });
    await this.timer.advance(1000);
    between();
    await this.timer.advance(5000);
    await this.evidence.stop();
    return this.otherLives;
  }
}

class PastOf {
  readonly #world: World;
  readonly claim = notAsked;

  constructor(world: World) {
    this.#world = world;
  }

  get standing(): Continuity['kind'] {
    return this.#world.standing;
  }

  async newestBeat() {
    return { beat: { number: this.#world.own, ...made(this.#world.own) }, hasPublished: true };
  }

  async beats(from: number): Promise<readonly Beat[]> {
    return from > this.#world.own ? [] : [{ number: from, ...made(from) }];
  }
}

function made(number: number) {
  return { lsn: BigInt(100 * number), atMs: 250 * number };
}

/** Of the own life, made at another place than the database's own beat of that number where `byBytes` is not 0. */
function beat(number: number, byBytes = 0n): RememberedBeat {
  const { lsn, atMs } = made(number);
  return { incarnation, number, made: { lsn: lsn + byBytes, atMs }, applied: lsn };
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
  expect(world.adopted).toEqual([3]);
});

test.each([
  ['a higher life', knows(3), [], true],
  ['another life of its own counter', knows(2, 8), [], true],
  ['the life that it is', knows(2, 7), [], false],
  ['nothing', 'nothing', [], false],
  ['a life that somebody has claimed in the own log', knows(3), [claimOf({ counter: 3, nonce: 9 })], false],
  ['the life that won the claim of its counter', knows(2, 8), [claimOf({ counter: 2, nonce: 8 })], false],
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

test.each([
  ['beats that the database does not have', beat(51), beat(71)],
  ['other beats than the database has', beat(8, 1n), beat(9, 1n)],
  ['beats of a life that nobody has claimed in the own log', knows(3), { ...knows(3), number: 60 }],
])('a peer that goes on receiving %s reads the log of another database (I11)', async (_, first, second) => {
  const world = new World();
  world.told = first;
  await world.look(() => {
    world.told = second;
  });
  expect(world.foreign).toEqual([expect.stringContaining('another database writes as eu')]);
  expect(world.otherLives).toEqual([]);
});

test.each([
  ['a beat that the database does not have', beat(51), 1],
  ['another beat than the database has', beat(8, 1n), 1],
  ['the newest beat of the database', beat(50), 0],
  ['an older one', beat(8), 0],
])(
  'a peer that has received %s and nothing since tells of a past, and of nobody alive',
  async (_, told, count) => {
    const world = new World();
    world.told = told;
    expect(await world.look()).toHaveLength(count);
    expect(world.foreign).toEqual([]);
  },
);

test('what a peer knew once and knows no more is of nobody', async () => {
  const world = new World();
  world.told = beat(51);
  await world.look(() => {
    world.own = 71;
    world.told = beat(71);
  });
  expect([world.foreign, world.otherLives]).toEqual([[], []]);
});

/** Of the life before, where it was made. */
function outlived(number: number): RememberedBeat {
  return { ...beat(number), incarnation: former };
}

function learntTo(lsn: bigint): readonly PositionRow[] {
  const rest = { partition: 0, settled: lsn, beat: null, nextOffset: 0n };
  return [{ origin: eu ?? expect.fail(), incarnation: former, applied: lsn, ...rest }];
}

test.each([
  ['beyond all that was learnt of it', learntTo(3900n), false, 1],
  ['of which nothing was learnt', [], false, 1],
  ['within what was learnt of it', learntTo(6000n), false, 0],
  ['while it is still being learnt', learntTo(3900n), true, 0],
])('a peer goes on receiving beats of an earlier life %s', async (_, positions, isLearning, count) => {
  const world = new World();
  [world.positions, world.isLearning] = [positions, isLearning];
  world.told = outlived(40);
  await world.look(() => {
    world.told = outlived(60);
  });
  expect(world.foreign).toHaveLength(count);
  expect(world.otherLives).toEqual([]);
});

test('a peer that has received more of an earlier life than was learnt of it, and no more since, tells of nobody', async () => {
  const world = new World();
  world.told = outlived(40);
  await world.look();
  expect([world.foreign, world.otherLives]).toEqual([[], []]);
});
