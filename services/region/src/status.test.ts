import { ReplicationError } from '@isthmus/replication/errors';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { TransferJob } from '@isthmus/replication/ports/transfer-jobs';
import type { Figures, FiguresRead } from '@isthmus/replication/progress/figures';
import { expect, test } from 'vitest';
import { type StatusInput, statusOf, waitingOf } from './status.ts';
import { UnreachablePartitions } from './unreachable-partitions.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const ap = parseRegionId('ap') ?? expect.fail('ap is a region');
const incarnation = { counter: 3, nonce: 0xbeef };
const nowMs = Date.UTC(2026, 0, 1, 12);

const slot = { retainedBytes: 10, walStatus: 'reserved', safeBytes: null, limitBytes: null } as const;

const tombstones = {
  count: 12,
  barrier: { completed: 4, open: 5, openedAtMs: 1000, completedAtMs: 900, readAtMs: 4500 },
};

function beat(number: number, count: number, agoMs: number) {
  return { number, count, atMs: nowMs - agoMs, lsn: 1n, end: 1n };
}

const newest = beat(40, 100, 100);
const figures: Figures = {
  own: { newest, newestCounted: newest, logCoveredAtMs: nowMs - 100, logCount: 100 },
  deadLetters: [
    { origin: us, cause: 'malformed', count: 2, bytes: 8 },
    { origin: us, cause: 'too-large', count: 1, bytes: 9 },
  ],
  readAtMs: 0,
  peers: [
    {
      peer: us,
      rpo: { peer: us, coveredAtMs: nowMs - 1500, settledCount: 93 },
      heard: { origin: us, incarnation, beat: beat(9, 50, 200), receivedAtMs: nowMs - 50 },
      positions: { incarnation, settled: [1n], beat: beat(8, 45, 750) },
      clockOffset: { offsetMs: -20, errorMs: 5, measuredAtMs: nowMs },
      told: null,
      earlierOffsets: [],
    },
    { peer: ap, rpo: null, heard: null, told: null, positions: null, clockOffset: null, earlierOffsets: [] },
  ],
};

const transfer: TransferJob = {
  id: 7,
  donor: us,
  origin: us,
  cause: 'gap',
  isDryRun: false,
  state: 'running',
  place: {
    cursor: { collection: 'products', key: 'k' },
    vector: null,
    beats: [],
    counts: { examined: 5, differing: 4, merged: 3, refused: 1, bytes: 200 },
  },
  wantedAtMs: nowMs - 1000,
  startedAtMs: nowMs,
  endedAtMs: null,
  detail: '',
};

const trouble = { part: 'telling', peer: null, detail: 'the log is down' } as const;
const refusedRecord = {
  region: us,
  topic: 'changes',
  cause: 'bad-signature',
  count: 3,
  lastAt: '2026-01-02T03:04:05.000Z',
} as const;

const unreachable = new UnreachablePartitions();
unreachable.note(us, []);
unreachable.note(ap, [0]);

function input(read: Partial<FiguresRead> = {}, changes: Partial<StatusInput> = {}): StatusInput {
  return {
    region: eu,
    incarnation,
    version: '1.2.3',
    peers: [us, ap],
    collections: ['products'],
    figures: { read: () => Promise.resolve({ figures, isCurrent: true, ageMs: 1, ...read }) },
    clock: { nowMs: () => nowMs },
    identity: { kind: 'proven' },
    drained: false,
    refill: () => Promise.resolve(null),
    relearning: null,
    ready: () => Promise.resolve(true),
    links: () => [{ peer: us, state: { kind: 'connected' } }],
    refused: [refusedRecord],
    gaps: () => [{ origin: us, partition: 2, cause: 'missing-interval' }],
    verifications: () =>
      Promise.resolve([
        {
          peer: us,
          throughMs: nowMs - 3000,
          cleanSweep: null,
          diverged: true,
          sweptAtMs: nowMs,
          isWanted: false,
        },
      ]),
    transfers: () => Promise.resolve([transfer]),
    incidents: () => Promise.resolve([]),
    slot: () => Promise.resolve(slot),
    tombstones: () => Promise.resolve(tombstones),
    fates: () =>
      Promise.resolve([
        { origin: us, fate: 'waiting', count: 2 },
        { origin: ap, fate: 'waiting', count: 1 },
        { origin: us, fate: 'lost', count: 1 },
      ]),
    closedLetters: () => Promise.resolve(9),
    waiting: () => [...waitingOf({ origin: us, readings: [], lackingRoom: [3] }), ...unreachable.view],
    troubles: [trouble],
    barrier: () => ({ phase: 'asking', waitingFor: [ap] }),
    ...changes,
  };
}

const unknownPeer = {
  link: null,
  lagSeconds: null,
  backlogChanges: null,
  rpoSeconds: null,
  rpoChanges: null,
  replicatedThrough: null,
  verifiedThrough: null,
  diverged: null,
  clockOffsetSeconds: null,
};

test('says everything by the names of the outer contract, what is unknown as null', async () => {
  expect(await statusOf(input())).toEqual({
    region: 'eu',
    actor: 'eu.3.0000beef',
    identity: { kind: 'proven' },
    drained: false,
    refill: null,
    relearning: null,
    incarnation: 3,
    version: '1.2.3',
    ready: true,
    rpoSeconds: 1.5,
    rpoChanges: 7,
    peers: [
      {
        region: 'us',
        link: 'connected',
        lagSeconds: 0.77,
        backlogChanges: 5,
        rpoSeconds: 1.5,
        rpoChanges: 7,
        replicatedThrough: '2026-01-01T11:59:58.500Z',
        verifiedThrough: '2026-01-01T11:59:57.000Z',
        diverged: true,
        clockOffsetSeconds: -0.02,
      },
      { region: 'ap', ...unknownPeer },
    ],
    collections: ['products'],
    incidents: { open: 0 },
    deadLetters: 3,
    givenUpDeadLetters: { waiting: 3, repaired: 0, lost: 1 },
    closedDeadLetters: 9,
    waitingPartitions: [
      { origin: 'us', partition: 3, cause: 'dead-letters-full' },
      { origin: 'ap', partition: 0, cause: 'unreachable' },
    ],
    troubles: [trouble],
    gaps: 1,
    openGaps: [{ origin: 'us', partition: 2, cause: 'missing-interval' }],
    refusedRecords: [refusedRecord],
    transfers: 1,
    openTransfers: [
      {
        id: 7,
        donor: 'us',
        origin: 'us',
        cause: 'gap',
        dryRun: false,
        state: 'running',
        wantedAt: '2026-01-01T11:59:59.000Z',
        startedAt: '2026-01-01T12:00:00.000Z',
        endedAt: null,
        examined: 5,
        differing: 4,
        merged: 3,
        refused: 1,
        bytes: 200,
        detail: '',
      },
    ],
    tombstones: { count: 12, completed: 4, openSeconds: 3.5, waitingFor: ['ap'] },
    slot: { ...slot, level: 'ok' },
  });
});

test('with older figures ages stand and counts that may have changed are withheld', async () => {
  const later = { clock: { nowMs: () => nowMs + 60_000 }, gaps: () => null };
  const status = await statusOf(input({ isCurrent: false }, later));
  expect(status).toMatchObject({ deadLetters: null, gaps: null, openGaps: null, rpoSeconds: 61.5 });
  expect(status.peers[0]).toMatchObject({ rpoSeconds: 61.5, rpoChanges: null, backlogChanges: null });
});

test('with neither tables nor clock every number is null', async () => {
  const clock = {
    nowMs: () => {
      throw new ReplicationError('clock-unknown', 'not read yet', { retriable: true });
    },
  };
  const unknown = { rpoSeconds: null, rpoChanges: null };
  const silent = {
    links: () => [],
    verifications: () => Promise.resolve(null),
    transfers: () => Promise.resolve(null),
  };
  const blind = await statusOf(input({ figures: null, isCurrent: false, ageMs: null }, silent));
  expect(blind).toMatchObject({
    ...unknown,
    deadLetters: null,
    transfers: null,
    openTransfers: null,
    peers: [unknownPeer, unknownPeer],
  });
  expect(await statusOf(input({}, { clock, ...silent }))).toMatchObject({
    ...unknown,
    peers: [unknownPeer, unknownPeer],
  });
});
