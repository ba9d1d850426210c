/**
 * A life that was destroyed with its log (P9): what a transfer may have brought of it beyond what its readers had settled
 * is covered by no position any more. Whoever was shown that finds it everywhere, whoever wrote what nobody has is told
 * that it is lost, and barriers do not wait for what is nowhere.
 */
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryTransferPeer } from '@isthmus/replication/adapters/memory/transfer-peer';
import { silence } from '@isthmus/replication/log/barrier-word';
import type { ProgressMessage } from '@isthmus/replication/log/progress-record';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Vector, WholePast } from '@isthmus/replication/ports/vector';
import { ownEntries } from '@isthmus/replication/reach';
import { afterRead, afterWrite, judgeSession, newSession } from '@isthmus/replication/sessions/session';
import { BarrierAnswers } from '@isthmus/replication/tombstones/barrier-answers';
import { Barriers } from '@isthmus/replication/tombstones/barriers';
import { Purge } from '@isthmus/replication/tombstones/collecting';
import { Receiver } from '@isthmus/replication/transfer/receiver';
import { beforeEach, expect, test } from 'vitest';
import { epochMs, MemoryRegion, silent } from './memory-region.ts';

const id = { collection: 'products', key: 'a' };
const partitions = new Set([0, 1, 2, 3]);

let timer: ManualTimer;
let regions: Map<RegionId, MemoryRegion>;
let [eu, us, ap]: MemoryRegion[] = [];

const clock = () => ({ nowMs: () => epochMs + timer.monotonicMs() });

function here(region: MemoryRegion | undefined): MemoryRegion {
  return region ?? expect.fail('it is there');
}

/** All of the donor comes to the receiver. */
async function transfer(to: MemoryRegion, from: MemoryRegion): Promise<void> {
  const { self, jobs, transfers: store, damaged } = to;
  const donor = from.self.region;
  const job = await jobs.find(await jobs.want({ donor, origin: donor, cause: 'repair', isDryRun: false }));
  const peer = new MemoryTransferPeer((region) => regions.get(region)?.donor ?? null, timer);
  const signal = new AbortController().signal;
  const parts = { self, peer, store, jobs, damaged, clock: clock(), timer, maxDriftMs: 60_000, signal };
  const run = new Receiver(job ?? expect.fail('it was wanted'), parts).run();
  await timer.advance(10_000);
  expect((await run).outcome).toEqual({ kind: 'done' });
  await jobs.end(job?.id ?? 0, { state: 'done', detail: '' });
}

/** What its log would have brought. */
async function applied(by: MemoryRegion, vector: Vector, whole: readonly WholePast[] = []): Promise<void> {
  const rest = { beats: [], floorMs: 0, partitionOf: () => 0, decide: () => [] };
  const { region } = by.self;
  await by.transfers.raise({ region, job: 0, given: vector, vector, whole, ...rest });
}

/** Sessions that come to this region are judged by that. */
async function place(of: MemoryRegion, closed: Vector) {
  const { settled, applied: reached, ahead, whole, insertLsn } = await of.transfers.standing();
  const { incarnation } = of.self;
  const own = { incarnation, insertLsn, ownThrough: insertLsn };
  return { ...own, settled, applied: reached, ahead, whole, closed, retired: [] };
}

beforeEach(async () => {
  timer = new ManualTimer();
  const made = ['eu', 'us', 'ap'].map((name) => new MemoryRegion(name, timer));
  [eu, us, ap] = made;
  regions = new Map(made.map((region) => [region.self.region, region]));
});

/** us has taken all of eu, which is destroyed with its log, and lives on; it has learnt what the others have. */
async function destroyed(): Promise<{ readonly ended: Vector; readonly shown: bigint }> {
  await here(eu).edit(id, (editor) => editor.set('title', 'seen'));
  await timer.advance(1000);
  await here(eu).edit({ ...id, key: 'b' }, (editor) => editor.set('title', 'seen by a transfer'));
  await transfer(here(us), here(eu));
  const { ahead, settled } = await here(us).transfers.standing();
  const [shown] = ahead.map(({ lsn }) => lsn);
  const first = here(eu).self;
  const ended = settled.filter(({ region }) => region === first.region);
  eu = new MemoryRegion('eu', timer, { counter: 2, nonce: 9 });
  regions.set(first.region, eu);
  await timer.advance(1000);
  await transfer(eu, here(us));
  await transfer(eu, here(ap));
  for (const each of [here(us), here(ap)]) await applied(each, ownEntries(eu.self, 1n));
  return { ended, shown: shown ?? expect.fail('something may have come ahead') };
}

test('what was shown of it is found wherever its next life has given all, and what nobody has is lost (I9)', async () => {
  const { ended, shown } = await destroyed();
  const before = await place(here(us), ended);
  const session = afterRead(newSession(here(us).self), before, partitions);
  const life = { region: here(eu).self.region, incarnation: { counter: 1, nonce: 1 } };
  const seen = { applied: [], ahead: [] };
  const written = afterWrite(newSession(life), new Set([0]), { end: shown, seen });
  await applied(here(eu), [], [{ region: life.region, before: 2 }]);
  await applied(here(ap), ownEntries(here(us).self, before.insertLsn));
  expect(judgeSession(here(ap).self, await place(here(ap), ended), session).kind).toBe('lost');

  await transfer(here(ap), here(eu));
  expect(await here(ap).state({ ...id, key: 'b' })).toEqual(await here(us).state({ ...id, key: 'b' }));
  expect(judgeSession(here(ap).self, await place(here(ap), ended), session).kind).toBe('reached');
  for (const each of [here(eu), here(ap)])
    expect(judgeSession(each.self, await place(each, ended), written).kind).toBe('lost');
});

test('a barrier that asked for it asks again, and comes to its end once everybody has it (P8, I12)', async () => {
  await destroyed();
  const asked = here(us);
  const member = here(ap);
  const answers = new BarrierAnswers(member.self, {
    standing: member.transfers,
    store: { noteAnswered: async () => undefined },
  });
  const completed: bigint[] = [];
  const { tombstones: store, transfers: standing, records, self } = asked;
  const purge = new Purge(null);
  const parts = { self, store, standing, records, purge, clock: clock(), timer, logger: silent };
  const members = () => [member.self.region];
  const barriers = new Barriers({ ...parts, members, onCollected: () => void completed.push(0n) });
  await asked.edit({ ...id, key: 'c' }, (editor) => editor.set('title', 'c'));
  await asked.edit({ ...id, key: 'c' }, (editor) => editor.delete());
  /** Both tell each other four times a second what they would by their progress. */
  const exchange = async (seconds: number): Promise<void> => {
    for (let turn = 0; turn < seconds * 4; turn++) {
      await timer.advance(250);
      const { ask } = await barriers.word();
      answers.note(self.region, self.incarnation, ask);
      await applied(member, ownEntries(self, (await standing.standing()).insertLsn));
      await applied(asked, ownEntries(member.self, (await member.transfers.standing()).insertLsn));
      const word = { ...silence, answers: await answers.all() };
      const said = { publishedAtMs: 0, publishedCount: null, origins: [] };
      const message: ProgressMessage = { ...member.self, ...said, barriers: word };
      barriers.hear(message);
    }
  };
  barriers.start();
  await exchange(30);
  expect(barriers.view?.phase, 'us shows what ap has not got').toBe('covering');
  await applied(here(eu), [], [{ region: here(eu).self.region, before: 2 }]);
  await transfer(asked, here(eu));
  await transfer(member, here(eu));
  const { insertLsn } = await here(eu).transfers.standing();
  for (const each of [asked, member]) await applied(each, ownEntries(here(eu).self, insertLsn));
  await exchange(30);
  expect(completed.length).toBeGreaterThan(0);
  const { horizon, applied: reached } = await standing.standing();
  const life = horizon.filter(({ region, incarnation }) => region === 'eu' && incarnation.counter === 1);
  expect(life.length).toBeGreaterThan(0);
  for (const entry of life) expect(reached).toContainEqual(entry);
  const closing = barriers.close();
  await timer.advance(1000);
  await closing;
});
