/** What becomes of a wish between the moment in which everything is safe and the claim that drops the records (P6). */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { AgendaWatch } from '../agenda-watch.ts';
import { ReplicationError } from '../errors.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { Refill } from '../ports/refill-store.ts';
import { Refiller } from './refiller.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const self = {
  region: parseRegionId('eu') ?? expect.fail('eu is a region'),
  incarnation: { counter: 1, nonce: 5 },
  partitionCount: 1,
};
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const beat = { number: 7, lsn: 9n, atMs: 0 };
const drained = { sinceMs: 0, beat: 7 };
const wish: Refill = {
  donor: us,
  accepted: [],
  state: 'renewing',
  detail: '',
  wantedAtMs: 0,
  endedAtMs: null,
  wasDrained: false,
};

const nothingAsked = {
  retired: [],
  jobs: [],
  verifications: [],
  incidents: [],
  letters: { hasFates: false, leastStampMs: null },
  awaited: [],
};

/** A region that holds its own writes up to 9, and whose only peer holds them as far as it says. */
class Ground {
  readonly timer = new ManualTimer();
  readonly withdrawn: string[] = [];
  held = 9n;
  isAnswering = true;
  confirm: () => Promise<void> = () => expect.fail('asked for');

  start(): void {
    const entry = (lsn: bigint) => ({
      region: self.region,
      incarnation: self.incarnation,
      partition: 0,
      lsn,
    });
    const none = { settled: [], applied: [], ahead: [], whole: [], horizon: [] };
    const standing = {
      ...none,
      floorMs: 0,
      insertLsn: 9n,
      beat: null,
      beats: [],
      slot: null,
      isEmpty: false,
      refill: 'emptied' as const,
      readAtMs: 0,
    };
    const offer = () => ({
      region: us,
      incarnation: { counter: 1, nonce: 6 },
      snapshot: 's',
      vector: [entry(this.held)],
      beats: [],
      ahead: [],
      whole: [],
      horizon: [],
      floorMs: 0,
      slot: null,
      mayBeEmptied: false,
      beatAgeMs: 0,
    });
    const read = async () => ({ ...nothingAsked, refill: wish, drained });
    const agenda = new AgendaWatch({ store: { read }, timer: this.timer, logger: silent });
    const refiller = new Refiller({
      self,
      peers: [us],
      peer: {
        ask: async () => {
          if (this.isAnswering) return { kind: 'offer', offer: offer() };
          throw new ReplicationError('peer-unavailable', 'us is away', { retriable: true });
        },
      },
      store: { standing: async () => standing },
      incarnations: { relearning: async () => null },
      agenda,
      refills: {
        find: async () => ({ ...wish, state: this.withdrawn.length > 0 ? 'refused' : 'renewing' }),
        withdraw: async (detail) => this.withdrawn.push(detail) > 0,
        want: () => expect.fail('not asked'),
        drain: () => expect.fail('not asked'),
        note: () => expect.fail('not asked'),
        secured: () => expect.fail('not asked'),
        refuse: () => expect.fail('not asked'),
        countRecords: () => expect.fail('not asked'),
      },
      draining: { carryOut: async () => {}, look: async () => {} },
      past: {
        continuity: () => expect.fail('not asked'),
        newestBeat: async () => ({ beat: { ...beat, number: 12, lsn: 40n }, hasPublished: true }),
        beats: async () => [beat],
      },
      renew: async () => {},
      confirmFirst: (confirm) => {
        this.confirm = confirm;
      },
      isRenewing: () => true,
      isRetired: () => false,
      timer: this.timer,
      logger: silent,
    });
    refiller.start();
    agenda.start();
  }

  /** Whether the claim may be made, after so long. */
  async confirmed(withinMs: number): Promise<boolean> {
    let isDone = false;
    const confirmed = async (): Promise<void> => {
      await this.confirm();
      isDone = true;
    };
    void confirmed();
    await this.timer.advance(withinMs);
    return isDone;
  }
}

test('what a peer has of a region is asked for once more before that drops it (I5)', async () => {
  const ground = new Ground();
  ground.start();
  expect(await ground.confirmed(0)).toBe(true);
  expect(ground.withdrawn).toEqual([]);
});

test('nothing is dropped where the peer was set back after it was asked (I5)', async () => {
  const ground = new Ground();
  ground.start();
  ground.held = 8n;
  expect(await ground.confirmed(10_000), 'it may still come to it').toBe(false);
  await ground.timer.advance(20_000);
  expect(ground.withdrawn).toEqual(['no peer that answers has all changes of eu.1.00000005']);
});

test('a peer that is away for a moment is waited for', async () => {
  const ground = new Ground();
  ground.start();
  ground.isAnswering = false;
  expect(await ground.confirmed(5000)).toBe(false);
  ground.isAnswering = true;
  await ground.timer.advance(1000);
  expect(ground.withdrawn).toEqual([]);
});
