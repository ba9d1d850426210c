/**
 * The comparison of a database with its own log (P1), over a log that the test writes: each way in which a database can
 * fail to be its own past, and that an ordinary crash is none of them.
 */
import { register, schema } from '@isthmus/conflict';
import { crc32 } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { type ChangesRecord, encodeLogRecord, type LogRecord, type PlacedChange } from '../log/log-record.ts';
import { encodeProgress } from '../log/progress-record.ts';
import type { Beat } from '../ports/change.ts';
import type { FeedBatch } from '../ports/change-feed.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { NewestBeat } from '../ports/identity-store.ts';
import type { LogSpan, OwnLog } from '../ports/own-log.ts';
import { OwnLogProof } from './own-log-proof.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 2, nonce: 7 };
const partitionCount = 2;
const products = schema({ title: register() });

/** Everything from the beginning on; `held` says from which record on the log still holds a partition. */
class ScriptedLog implements OwnLog {
  readonly partitions: LogRecord[][] = [[], []];
  held = 0;
  /** Of the records that are read. */
  edit: (bytes: Buffer) => Buffer = (bytes) => bytes;
  /** Where reading by time begins. */
  since = 0;
  progress: Uint8Array | null = null;

  async spans(_count: number, sinceMs: number | null): Promise<readonly LogSpan[]> {
    return this.partitions.map((records) => {
      const first = Math.max(this.held, sinceMs === null ? 0 : this.since);
      return { first: BigInt(Math.min(first, Math.max(0, records.length - 1))), end: BigInt(records.length) };
    });
  }

  subscribe(offsets: readonly bigint[]) {
    const batches: FeedBatch[] = this.partitions.flatMap((records, partition) => {
      const from = Number(offsets[partition]);
      const held = records.map((record, offset) => ({
        offset: BigInt(offset),
        bytes: this.edit(encodeLogRecord(record)),
      }));
      return from < held.length ? [{ partition, records: held.slice(from) }] : [];
    });
    return {
      connected: true,
      next: async () => batches.shift() ?? null,
      rewind: async () => 0n,
      close: async () => {},
    };
  }

  claims(): never {
    return expect.fail('nobody listens for claims here');
  }

  tail() {
    return this.subscribe([0n, 0n]);
  }

  async newestProgress(): Promise<Uint8Array | null> {
    return this.progress;
  }
}

let log: ScriptedLog;
let records: MemoryRecordStore;
let beats: Map<number, Beat>;
let newest: NewestBeat;

beforeEach(async () => {
  log = new ScriptedLog();
  records = new MemoryRecordStore();
  beats = new Map([1, 2, 3].map((number) => [number, beat(number)]));
  newest = { beat: beat(3), hasPublished: true };
  await put('kept', 'a', 25n);
  for (const partition of [0, 1]) {
    publish(partition, { beats: [1], at: [0n, 10n] });
    publish(partition, { beats: [2], at: [10n, 20n] });
  }
});

function beat(number: number, lsn = BigInt(number * 10 - 1)): Beat {
  return { number, lsn, atMs: number * 250 };
}

function change(key: string, title: string, lsn: bigint): PlacedChange {
  const context = { actor: 'eu.2.00000007', floor: 0, now: 1000 };
  const { delta } = products.edit(new Uint8Array(0), context, (editor) => editor.set('title', title));
  return { lsn, index: 0, collection: 'products', key, delta };
}

async function put(key: string, title: string, lsn: bigint): Promise<void> {
  await hold(key, change(key, title, lsn).delta);
}

async function hold(key: string, state: Uint8Array): Promise<void> {
  const ids = [{ collection: 'products', key }];
  await records.commitLocal({ ids, decide: () => [{ index: 0, state, delta: state }] });
}

function publish(
  partition: number,
  of: {
    readonly beats?: readonly number[];
    readonly lsn?: bigint;
    readonly at: readonly [bigint, bigint];
    readonly changes?: readonly PlacedChange[];
    readonly nonce?: number;
  },
): void {
  const [from, to] = of.at;
  const record: ChangesRecord = {
    kind: 'changes',
    origin: region,
    incarnation: { ...incarnation, nonce: of.nonce ?? incarnation.nonce },
    partition,
    from,
    to,
    beats: (of.beats ?? []).map((number) => ({ ...beat(number, of.lsn), count: 0, end: to })),
    changes: of.changes ?? [],
  };
  log.partitions[partition]?.push(record);
}

function prove() {
  const store = {
    newestBeat: async () => newest,
    beats: async (from: number, to: number) =>
      [...beats.values()].filter(({ number }) => number >= from && number <= to),
  };
  const self = { region, incarnation, partitionCount };
  return new OwnLogProof({ self, store, records, log, timer: new ManualTimer() }).run();
}

function expectBroken(reason: RegExp): Promise<void> {
  return expect(prove()).resolves.toEqual({ kind: 'broken', reason: expect.stringMatching(reason) });
}

test('a crash leaves a log that ends before the database, or with what the database has', async () => {
  await expect(prove()).resolves.toEqual({ kind: 'continues', readRecords: 4 });
  publish(0, { beats: [3], at: [20n, 35n], changes: [change('kept', 'a', 34n)] });
  await expect(prove()).resolves.toMatchObject({ kind: 'continues' });
});

test('a beat that the database has lost says that it was restored', async () => {
  publish(1, { beats: [4], at: [20n, 40n] });
  await expectBroken(/beat 4, the database none after 3/);
});

test('a change that the database has lost says so without any beat', async () => {
  publish(0, { at: [20n, 35n], changes: [change('kept', 'a', 33n), change('lost', 'b', 34n)] });
  await expectBroken(/lacks a change of its own to collection products, at position 34/);
});

/** The first byte of a state says its format, the second how many actors its context names. */
const damaged = (state: Uint8Array) => Uint8Array.of(state[0] ?? 0, 0x7f, ...state.subarray(2));
const ofNextFormat = (state: Uint8Array) => Uint8Array.of(0x20, ...state.subarray(1));

test('a change or a record that is damaged shows nothing, and is no end of the process (P1)', async () => {
  const own = change('kept', 'b', 34n);
  publish(0, { at: [20n, 35n], changes: [own] });
  await hold('kept', damaged(own.delta));
  await expectBroken(/lacks a change of its own to collection products, at position 34/);
  await put('kept', 'a', 25n);
  log.partitions[0]?.pop();
  publish(0, { at: [20n, 35n], changes: [{ ...own, delta: damaged(own.delta) }] });
  await expectBroken(/lacks a change of its own to collection products, at position 34/);
});

test('what a newer version wrote proves nothing and breaks nothing: the question stays open (0062)', async () => {
  const tooNew = {
    code: 'newer-format',
    retriable: false,
    message: expect.stringMatching(/identity accept/),
  };
  const own = change('new', 'b', 34n);
  publish(0, { at: [20n, 35n], changes: [{ ...own, delta: ofNextFormat(own.delta) }] });
  await hold('new', ofNextFormat(own.delta));
  await expect(prove()).rejects.toMatchObject(tooNew);
  log.partitions[0]?.pop();
  log.progress = Uint8Array.of(4);
  await expect(prove()).rejects.toMatchObject(tooNew);
  log.progress = null;
  await expect(prove()).resolves.toMatchObject({ kind: 'continues' });
  log.edit = (bytes) => {
    const body = Buffer.from(bytes.subarray(0, -4));
    body[0] = 0x7f;
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([body, sum]);
  };
  await expect(prove()).rejects.toMatchObject(tooNew);
  log.edit = (bytes) => bytes.subarray(0, -1);
  await expectBroken(/does not reach back/);
});

test('what lies before the newest beat need not be merged again', async () => {
  publish(0, { beats: [3], at: [20n, 28n], changes: [change('deleted long ago', 'x', 25n)] });
  await expect(prove()).resolves.toMatchObject({ kind: 'continues' });
});

test('a beat of the same number and another place was written by another database', async () => {
  publish(0, { beats: [3], lsn: 31n, at: [20n, 32n] });
  await expectBroken(/beat 3 of the own log is another/);
});

test.each([
  ['of the same counter with another nonce', 8],
  ['that is newer', 7],
])('another incarnation %s writes in our name', async (what, nonce) => {
  const counter = what === 'that is newer' ? 3 : incarnation.counter;
  const at = { partition: 0, from: 20n, to: 30n, beats: [], changes: [] };
  log.partitions[0]?.push({ kind: 'changes', origin: region, incarnation: { counter, nonce }, ...at });
  await expectBroken(/goes on under incarnation/);
});

test('an earlier incarnation of ours is no stranger', async () => {
  const at = { partition: 0, from: 9000n, to: 9001n, beats: [], changes: [] };
  log.partitions[0]?.push({ kind: 'changes', origin: region, incarnation: { counter: 1, nonce: 3 }, ...at });
  await expect(prove()).resolves.toMatchObject({ kind: 'continues' });
});

test('a log that was cut off after the newest beat proves nothing', async () => {
  log.partitions.forEach((partition) => partition.splice(0));
  for (const partition of [0, 1]) publish(partition, { at: [50n, 60n] });
  await expectBroken(/does not reach back to beat 3/);
});

test('an emptied log proves nothing, unless nothing was ever published', async () => {
  log.partitions.forEach((partition) => partition.splice(0));
  await expectBroken(/does not reach back/);
  newest = { beat: beat(3), hasPublished: false };
  await expect(prove()).resolves.toMatchObject({ kind: 'continues' });
});

test('reading that began too late begins again at the beginning of the log', async () => {
  publish(0, { at: [20n, 50n] });
  publish(0, { at: [50n, 60n] });
  publish(1, { at: [20n, 50n] });
  publish(1, { at: [50n, 60n] });
  log.since = 3;
  await expect(prove()).resolves.toMatchObject({ kind: 'continues' });
});

test('reading that began too late begins again also where the database knows of no publish (0066)', async () => {
  newest = { beat: beat(1), hasPublished: false };
  for (const partition of [0, 1]) publish(partition, { at: [20n, 28n] });
  log.since = 2;
  expect(await prove()).toMatchObject({ kind: 'broken', reason: expect.stringContaining('beat 2') });
});

test('a database that lost only what it had applied of others is found by what was told to them', async () => {
  const place = { origin: us, incarnation: { counter: 1, nonce: 1 }, beat: null, nextOffset: 0n };
  for (const partition of [0, 1]) {
    await records.createPosition({ ...place, partition, applied: 70n, settled: 70n });
  }
  const tell = (settled: readonly bigint[]) =>
    encodeProgress({
      region,
      incarnation,
      publishedAtMs: 1000,
      publishedCount: null,
      barriers: { ask: null, answers: [] },
      origins: [
        { origin: us, incarnation: { counter: 1, nonce: 1 }, settled, settledBeat: null, echo: null },
      ],
    });
  log.progress = tell([70n, 60n]);
  await expect(prove()).resolves.toMatchObject({ kind: 'continues' });
  log.progress = tell([70n, 71n]);
  await expectBroken(/behind what the region told us/);
});
