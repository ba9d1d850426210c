/**
 * Whom a region's database serves (P1, P9): reads always; nothing else while the server is not proven to continue the
 * region's past, is held, or has become another incarnation; and no local write while its past is learnt again or it is
 * drained. What takes writes away, and what proves a server, needs no proof. A store is held to this call by call,
 * because one that serves a call too many is a second life of the region, and one that serves too few never recovers.
 */
import type { ChangeSource } from '@isthmus/replication/ports/change-source';
import { beginning } from '@isthmus/replication/ports/record-reader';
import type { RoleLock } from '@isthmus/replication/ports/role-lock';
import type { SlotKeeper } from '@isthmus/replication/ports/slot-keeper';
import type { Stores } from '@isthmus/replication/ports/stores';
import { ReplicationError } from '@isthmus/replication/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { openSoon } from './change-source.contract.ts';
import { append, record, region } from './record-store.contract.ts';

/** The database as one process has opened it. */
export interface AdmittedStores extends Omit<Stores, 'agenda'> {
  readonly lock: RoleLock;
  readonly slots: SlotKeeper;
  readonly source: ChangeSource;
}

export interface AdmissionGround {
  readonly open: () => Promise<AdmittedStores>;
  /** The server is started anew, and nobody has proven that it is the one that it was. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

type Ask = (stores: AdmittedStores) => Promise<unknown>;

const us = region('us');
const incarnation = { counter: 1, nonce: 7 };
const entry = { region: us, incarnation, partition: 0, lsn: 1n };
const wish = { donor: us, origin: us, cause: 'gap', isDryRun: false } as const;
const range = { after: beginning, until: { collection: 'z', key: 'z' } };
const none = { collection: '', key: '' };
const letter = { origin: us, incarnation, partition: 0, lsn: 1n, index: 0 };
const row = { origin: us, incarnation, partition: 0, applied: 0n, settled: 0n, beat: null, nextOffset: 0n };
const progress = {
  peer: us,
  peerIncarnation: incarnation,
  settled: null,
  settledBeat: null,
  echoedBeat: null,
  heardAtMs: 1,
  clockOffset: null,
  publishedCount: null,
  earlierOffsets: [],
};
const published = { number: 1, lsn: 1n, atMs: 1, end: 1n, count: 1 };
const place = {
  cursor: none,
  vector: null,
  beats: [],
  counts: { examined: 0, differing: 0, merged: 0, refused: 0, bytes: 0 },
};

/** Served by whatever answers. */
const readings: Readonly<Record<string, Ask>> = {
  'records.read': ({ records }) => records.read(record('a')),
  'records.list': ({ records }) => records.list({ collection: 'a', prefix: '', after: null, limit: 1 }),
  'records.positions': ({ records }) => records.positions(us),
  'records.countDeadLetters': ({ records }) => records.countDeadLetters(),
  'beats.countAt': ({ beats }) => beats.countAt(1n),
  'beats.overview': ({ beats }) => beats.overview(),
  'beats.beatAtMs': ({ beats }) => beats.beatAtMs(1),
  'deadLetters.list': ({ deadLetters }) => deadLetters.list({ after: null, limit: 1 }),
  'deadLetters.due': ({ deadLetters }) => deadLetters.due(1, 1),
  'deadLetters.fates': ({ deadLetters }) => deadLetters.fates(),
  'deadLetters.countClosed': ({ deadLetters }) => deadLetters.countClosed(),
  'incidents.open': ({ incidents }) => incidents.open(),
  'past.continuity': ({ past }) => past.continuity(),
  'past.newestBeat': ({ past }) => past.newestBeat(),
  'past.insertLsn': ({ past }) => past.insertLsn(),
  'past.recoveredTo': ({ past }) => past.recoveredTo(),
  'past.beats': ({ past }) => past.beats(1, 2),
  'past.claim': ({ past }) => past.claim(),
  'incarnations.closed': ({ incarnations }) => incarnations.closed(),
  'incarnations.relearning': ({ incarnations }) => incarnations.relearning(),
  'joining.isJoining': ({ joining }) => joining.isJoining(),
  'drains.find': ({ drains }) => drains.find(),
  'refills.find': ({ refills }) => refills.find(),
  'refills.countRecords': ({ refills }) => refills.countRecords(1),
  // Its reader has no say: it runs under the lock, which is not given.
  'source.open': async ({ source }) => (await openSoon(source)).close(),
  'sessions.place': ({ sessions }) => sessions.place(),
  'transfers.openSnapshot': async ({ transfers }) => (await transfers.openSnapshot()).close(),
  'transfers.standing': ({ transfers }) => transfers.standing(),
  'transfers.published': ({ transfers }) => transfers.published(1n),
  'transfers.ranges': ({ transfers }) => transfers.ranges(beginning),
  'transfers.digest': ({ transfers }) => transfers.digest(range),
  'transfers.hashes': ({ transfers }) => transfers.hashes(range, 1),
  'transfers.states': ({ transfers }) => transfers.states([record('a')]),
  'jobs.open': ({ jobs }) => jobs.open(),
  'jobs.find': ({ jobs }) => jobs.find(1),
  'jobs.recent': ({ jobs }) => jobs.recent(),
  'verifications.all': ({ verifications }) => verifications.all(),
  'tombstones.barrier': ({ tombstones }) => tombstones.barrier(),
  'tombstones.hasEnded': ({ tombstones }) => tombstones.hasEnded(1n),
  'tombstones.hasDead': ({ tombstones }) => tombstones.hasDead(),
  'tombstones.countDead': ({ tombstones }) => tombstones.countDead(),
  'tombstones.dead': ({ tombstones }) => tombstones.dead({ after: beginning, through: 1, limit: 1 }),
  'retirements.all': ({ retirements }) => retirements.all(),
  'retirements.position': ({ retirements }) => retirements.position(us),
};

/** Words of operators and of whoever judges the server, which it must take to become whole again. */
const words: Readonly<Record<string, Ask>> = {
  'past.noteClaim': ({ past }) => past.noteClaim({ counter: 0, nonce: 1 }),
  'drains.settle': ({ drains }) => drains.settle(),
  'refills.note': ({ refills }) => refills.note('x'),
  'refills.refuse': ({ refills }) => refills.refuse('x'),
  'incarnations.setOpen': ({ incarnations }) => incarnations.setOpen(false),
};

/** Of a server that continues the region's past. */
const writings: Readonly<Record<string, Ask>> = {
  'records.examine': ({ records }) => records.examine(beginning),
  'records.createPosition': ({ records }) => records.createPosition(row),
  'records.openLife': ({ records }) => records.openLife(row),
  'records.applyRemote': ({ records }) =>
    records.applyRemote({
      origin: us,
      positions: [{ ...row, expected: 99n, applied: 100n }],
      ids: [],
      decide: () => ({ writes: [], deadLetters: [] }),
    }),
  'beats.tryHold': async ({ beats }) => (await beats.tryHold())?.release(),
  'beats.storePublished': ({ beats }) => beats.storePublished([published]),
  'beats.storePeerProgress': ({ beats }) => beats.storePeerProgress(progress),
  'beats.storeHeard': ({ beats }) => beats.storeHeard([]),
  'beats.prune': ({ beats }) => beats.prune(),
  'deadLetters.retry': ({ deadLetters }) => deadLetters.retry([letter], () => ({ kind: 'leave' })),
  'deadLetters.giveUp': ({ deadLetters }) =>
    deadLetters.giveUp(letter, { reason: 'x', isLossAccepted: false }),
  'deadLetters.prune': ({ deadLetters }) => deadLetters.prune(),
  'incarnations.close': ({ incarnations }) => incarnations.close(entry),
  'incarnations.filled': ({ incarnations }) => incarnations.filled(),
  'joining.joined': ({ joining }) => joining.joined(),
  'lock.tryAcquire': async ({ lock }) => (await lock.tryAcquire())?.release(),
  'transfers.expect': ({ transfers }) => transfers.expect([entry]),
  'transfers.forgetCovered': ({ transfers }) => transfers.forgetCovered([]),
  'transfers.beginPass': ({ transfers }) => transfers.beginPass(1),
  'transfers.merge': ({ transfers }) =>
    transfers.merge({ job: 1, ids: [record('a')], decide: () => ({ writes: [], refused: [] }) }),
  'jobs.want': ({ jobs }) => jobs.want(wish),
  'jobs.start': ({ jobs }) => jobs.start(1),
  'jobs.note': ({ jobs }) => jobs.note(1, place),
  'jobs.postpone': ({ jobs }) => jobs.postpone(1, 'x'),
  'jobs.end': ({ jobs }) => jobs.end(1, { state: 'done', detail: '' }),
  'verifications.want': ({ verifications }) => verifications.want([us]),
  'verifications.began': ({ verifications }) => verifications.began(us),
  'verifications.ended': ({ verifications }) =>
    verifications.ended(us, { sweep: 1, startedAtMs: 1, diverged: 0 }),
  'slots.life': ({ slots }) => slots.life(),
  'slots.renew': ({ slots }) => slots.renew('x'),
  'tombstones.close': ({ tombstones }) => tombstones.close(1),
  'tombstones.beginRound': ({ tombstones }) => tombstones.beginRound(),
  'tombstones.complete': ({ tombstones }) => tombstones.complete({ number: 9, round: 9, vector: [] }),
  'tombstones.noteAnswered': ({ tombstones }) => tombstones.noteAnswered(1n),
  'tombstones.collect': ({ tombstones }) =>
    tombstones.collect({ ids: [record('never')], through: 1, decide: () => [] }),
  'retirements.close': ({ retirements }) => retirements.close(region('ap'), null),
};

const local: Ask = ({ records }) => records.commitLocal(append([record('a')], 'x'));

const unproven = { code: 'database-unavailable', says: 'compared with the own log' };
const held = { code: 'identity-mismatch', says: 'somebody else is alive' };
const renewed = { code: 'identity-mismatch', says: 'has incarnation 2' };
const learning = { code: 'database-unavailable', says: 'learnt its past' };
const drained = { code: 'database-unavailable', says: 'drained' };
type Refusal = typeof unproven;

export function admissionContract(name: string, begin: () => Promise<AdmissionGround>): void {
  describe(`admission: ${name}`, () => {
    let ground: AdmissionGround;
    let stores: AdmittedStores;
    beforeEach(async () => {
      ground = await begin();
      stores = await ground.open();
    }, 60_000);
    afterEach(() => ground.close());

    async function renew(): Promise<void> {
      const { past } = await ground.open();
      await past.adopt({ claim: await past.noteClaim({ counter: 2, nonce: 9 }), promised: [] });
    }

    it('everything where the server continues the past of its region', async () => {
      await expectServed(stores, { ...readings, ...words, ...writings, local });
    });

    it('only what reads, and what makes it whole, where nobody has proven that it does (P1)', async () => {
      await ground.restart();
      await expectServed(stores, { ...readings, ...words });
      await expectRefused(stores, { ...writings, local }, unproven);
    }, 60_000);

    it('the same where it is held', async () => {
      await stores.past.hold('somebody else is alive');
      await expectServed(stores, { ...readings, ...words });
      await expectRefused(stores, { ...writings, local }, held);
    });

    it('the same for whoever opened it as another incarnation (P9)', async () => {
      await renew();
      await expectServed(stores, readings);
      await expectRefused(stores, { ...writings, local }, renewed);
    });

    it('no local write while a new incarnation learns its past (P9)', async () => {
      await renew();
      const next = await ground.open();
      await expectServed(next, { ...readings, ...words, ...writings });
      await expectRefused(next, { local }, learning);
    });

    it('nor while it is drained', async () => {
      await stores.drains.begin();
      await stores.drains.cut();
      await expectServed(stores, { ...readings, ...words, ...writings });
      await expectRefused(stores, { local }, drained);
    });
  });
}

/** A connection that was ended may be found out by the call that takes it, so each may be made again. */
async function expectServed(stores: AdmittedStores, asked: Readonly<Record<string, Ask>>): Promise<void> {
  for (const [name, ask] of Object.entries(asked))
    await until(`${name} is served`, 10_000, () => served(ask, stores));
}

async function expectRefused(
  stores: AdmittedStores,
  asked: Readonly<Record<string, Ask>>,
  { code, says }: Refusal,
): Promise<void> {
  for (const [name, ask] of Object.entries(asked))
    await until(`${name} is refused`, 10_000, async () => {
      const reason = await refusalOf(ask, stores);
      if (reason.code === code && reason.message.includes(says)) return true;
      throw reason;
    });
}

async function served(ask: Ask, stores: AdmittedStores): Promise<true> {
  await ask(stores);
  return true;
}

async function refusalOf(ask: Ask, stores: AdmittedStores): Promise<ReplicationError> {
  try {
    await ask(stores);
  } catch (reason) {
    if (reason instanceof ReplicationError) return reason;
    throw reason;
  }
  return expect.fail('it was served');
}
