/** The desk that runs transfers and the sweeper, over regions in memory and virtual time. */
import { AgendaWatch } from '@isthmus/replication/agenda-watch';
import { MemoryAgendaStore } from '@isthmus/replication/adapters/memory/agenda-store';
import { awaitUncounted } from '@isthmus/replication/adapters/memory/awaited-past';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryTransferPeer } from '@isthmus/replication/adapters/memory/transfer-peer';
import { ReplicationError } from '@isthmus/replication/errors';
import { type Life, parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import type { SweepResult } from '@isthmus/replication/ports/verification';
import { silence } from '@isthmus/replication/log/barrier-word';
import type { WholePast } from '@isthmus/replication/ports/vector';
import { ownEntries } from '@isthmus/replication/reach';
import { Sweeper } from '@isthmus/replication/transfer/sweeper';
import { ToldVectors } from '@isthmus/replication/transfer/told-vectors';
import { type Need, Transfers } from '@isthmus/replication/transfer/transfers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { epochMs, MemoryRegion, silent } from './memory-region.ts';

const id = (key: string) => ({ collection: 'products', key });

let timer: ManualTimer;
let eu: MemoryRegion;
let us: MemoryRegion;
let ap: MemoryRegion;
let gaps: readonly Need[];
let away: Set<string>;
/** They take a question and never answer it. */
let hung: Set<string>;
let raised: number;
let onRaised: () => void;
let counted: string[];
let warnings: Readonly<Record<string, unknown>>[];
let onlyFrom: RegionId | 'unknown' | null;
const running: { close: () => Promise<void> }[] = [];

beforeEach(() => {
  timer = new ManualTimer();
  [eu, us, ap] = [
    new MemoryRegion('eu', timer),
    new MemoryRegion('us', timer),
    new MemoryRegion('ap', timer),
  ];
  [gaps, away, hung, raised, counted, warnings] = [[], new Set(), new Set(), 0, [], []];
  onRaised = () => undefined;
  onlyFrom = null;
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => closed(each)));
});

/** Closing waits for what is under way, which waits for time. */
async function closed(part: { close: () => Promise<void> }): Promise<void> {
  const closing = part.close();
  for (let turns = 0; turns < 20; turns++) await timer.advance(100);
  await closing;
}

const clock = () => ({ nowMs: () => epochMs + timer.monotonicMs() });

const answering = () =>
  new MemoryTransferPeer((region) => {
    if (away.has(region)) return null;
    return { eu, us, ap }[region === 'eu' ? 'eu' : region === 'us' ? 'us' : 'ap'].donor;
  }, timer);

const peer = (): TransferPeer => {
  const inner = answering();
  return {
    ask: (region, request, signal) => {
      if (!hung.has(region)) return inner.ask(region, request, signal);
      return new Promise((_, reject) => {
        const gone = new ReplicationError('peer-unavailable', 'nobody waits', { retriable: true });
        if (signal?.aborted === true) reject(gone);
        signal?.addEventListener('abort', () => reject(gone));
      });
    },
  };
};

/** Of us. */
function agenda(): AgendaWatch {
  const watch = new AgendaWatch({ store: new MemoryAgendaStore(us), timer, logger: silent });
  running.push({ close: () => watch.stop() });
  watch.start();
  return watch;
}

function desk(told = new ToldVectors(clock())): Transfers {
  const started = new Transfers({
    self: us.self,
    peers: [eu.self.region, ap.self.region],
    agenda: agenda(),
    closed: () => [],
    retired: () => [],
    onlyFrom: () => onlyFrom,
    store: us.transfers,
    jobs: us.jobs,
    heard: () => [],
    letters: us.records.deadLetters,
    told,
    peer: peer(),
    damaged: us.damaged,
    clock: clock(),
    timer,
    maxDriftMs: 60_000,
    logger: { ...silent, warn: (fields) => void warnings.push(fields) },
    gaps: () => gaps,
    onRaised: () => {
      raised++;
      onRaised();
    },
    onTransfer: (origin, cause) => counted.push(`${origin} ${cause}`),
  });
  running.push(started);
  started.start();
  return started;
}

const awaitPast = (life: Life): void =>
  void us.database.transact(true, () => awaitUncounted(us.records.tables, life));
const gapOf = (origin: RegionId): Need => ({ origin, cause: 'gap' });
const states = async (): Promise<readonly string[]> =>
  (await us.jobs.recent()).map(({ donor, state }) => `${donor} ${state}`);

describe('the desk', () => {
  it('does nothing while nothing is missing', async () => {
    desk();
    await timer.advance(60_000);
    expect(await us.jobs.recent()).toEqual([]);
    expect(counted).toEqual([]);
  });

  it('fetches what an operator has given up, until its letter is closed (P4)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'a'));
    const { region: origin, incarnation } = eu.self;
    const place = { incarnation, partition: 0, beat: null, nextOffset: 0n };
    await us.records.createPosition({ ...place, origin, applied: 0n, settled: 0n });
    const unreadable = { ...id('a'), partition: 0, lsn: 1n, index: 0, delta: Buffer.from('x') };
    const letter = { ...unreadable, cause: 'malformed' as const, detail: 'x', stampMs: null };
    const decide = () => ({ writes: [], deadLetters: [letter] });
    const positions = [{ ...place, expected: 0n, applied: 2n }];
    await us.records.applyRemote({ origin, positions, ids: [id('a')], decide });
    desk();
    await timer.advance(30_000);
    expect([await states(), await us.records.countDeadLetters()]).toMatchObject([[], [{ count: 1 }]]);
    const { deadLetters } = us.records;
    const at = { origin, incarnation, partition: 0, lsn: 1n, index: 0 };
    expect(await deadLetters.giveUp(at, { reason: 'a bug', isLossAccepted: false })).toBe('waiting');
    await timer.advance(60_000);
    expect([await states(), counted]).toEqual([['eu done'], ['eu repair']]);
    expect(await deadLetters.fates()).toEqual([{ origin, fate: 'repaired', count: 1 }]);
    expect(await us.records.countDeadLetters()).toEqual([]);
    expect(await us.records.read(id('a'))).not.toBeNull();
  });

  it('fetches what is missing once, where readers then go on within a second', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'a'));
    gaps = [gapOf(eu.self.region)];
    onRaised = () =>
      timer.after(1000, () => {
        gaps = [];
      });
    desk();
    await timer.advance(60_000);
    expect([await states(), counted, raised]).toEqual([['eu done'], ['eu gap'], 1]);
    expect(await us.records.read(id('a'))).not.toBeNull();
  });

  it('says in the log how many records of a donor it has put aside (P4)', async () => {
    for (const key of ['a', 'b']) await eu.edit(id(key), (e) => e.set('title', key), epochMs + 86_400_000);
    await eu.edit(id('c'), (e) => e.set('title', 'c'));
    gaps = [gapOf(eu.self.region)];
    onRaised = () => {
      gaps = [];
    };
    desk();
    await timer.advance(10_000);
    expect(await states()).toEqual(['eu done']);
    expect(warnings).toMatchObject([{ donor: 'eu', count: 2 }]);
  });

  it('reads from nobody but the donor that an emptied database is filled from, and from nobody before that is known (P6)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'a'));
    gaps = [gapOf(ap.self.region)];
    onlyFrom = 'unknown';
    const [donor, other] = [eu.self.region, ap.self.region];
    for (const each of [other, donor])
      await us.jobs.want({ donor: each, origin: each, cause: 'refill', isDryRun: false });
    desk();
    await timer.advance(10_000);
    expect(await states()).toEqual(['eu wanted', 'ap wanted']);
    onlyFrom = donor;
    await timer.advance(10_000);
    expect(await states()).toEqual(['eu done', 'ap wanted']);
    onlyFrom = null;
    await timer.advance(10_000);
    expect(counted).toContain('ap refill');
  });

  it('rests longer each time where the same gap comes again', async () => {
    gaps = [gapOf(eu.self.region)];
    desk();
    await timer.advance(120_000);
    expect(counted.length).toBeGreaterThan(3);
    expect(counted.length).toBeLessThan(12);
  });

  it('lets no origin that is away hold back another', async () => {
    away.add('eu');
    gaps = [gapOf(eu.self.region), gapOf(ap.self.region)];
    desk();
    await timer.advance(60_000);
    expect(new Set(counted)).toEqual(new Set(['ap gap']));
    const [waiting] = await us.jobs.open();
    expect(waiting).toMatchObject({ donor: 'eu', detail: expect.stringContaining('cannot be reached') });
    away.clear();
    await timer.advance(120_000);
    expect(counted).toContain('eu gap');
  });

  /** What makes `us` a region that has taken something already. */
  async function raisedBefore(): Promise<void> {
    const vector = ownEntries(ap.self, 1n);
    await us.transfers.raise({
      region: us.self.region,
      given: [],
      whole: [],
      beats: [],
      floorMs: 0,
      job: 0,
      vector,
      partitionOf: () => 0,
      decide: () => [],
    });
  }

  it('lets no origin that hangs hold back another, and closes without it', async () => {
    await raisedBefore();
    hung.add('eu');
    gaps = [gapOf(eu.self.region), gapOf(ap.self.region)];
    const started = desk();
    await timer.advance(60_000);
    expect(new Set(counted)).toEqual(new Set(['ap gap']));
    expect(counted.length).toBeGreaterThan(1);
    expect(await us.jobs.open()).toMatchObject([{ donor: 'eu', state: 'running' }]);
    await closed(started);
  });

  it('fills a region that has taken nothing yet from one donor after the other (P8)', async () => {
    hung.add('eu');
    gaps = [gapOf(eu.self.region), gapOf(ap.self.region)];
    desk();
    await timer.advance(10_000);
    expect(await states()).toEqual(['ap wanted', 'eu running']);
    await raisedBefore();
    await timer.advance(10_000);
    expect(await states()).toContain('ap done');
    expect(await us.jobs.open()).toContainEqual(expect.objectContaining({ donor: 'eu', state: 'running' }));
  });

  it('fetches what a region holds of its lives before, until it has given that as the life that is awaited (P9)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'a'));
    const { region, incarnation } = eu.self;
    const later = { ...incarnation, counter: incarnation.counter + 1 };
    const awaited = async () => (await new MemoryAgendaStore(us).read()).awaited;
    awaitPast(eu.self);
    desk();
    await timer.advance(20_000);
    expect([await states(), counted]).toEqual([['eu done'], ['eu other-incarnation']]);
    expect(await us.records.read(id('a'))).not.toBeNull();
    expect(await awaited()).toEqual([]);
    awaitPast({ region, incarnation: later });
    await timer.advance(20_000);
    expect(counted.length).toBeGreaterThan(2);
    expect(await awaited()).toEqual([region]);
  });

  it('asks nobody who is no peer for what it holds of its lives before', async () => {
    const elsewhere = parseRegionId('asia') ?? expect.fail('a region');
    awaitPast({ region: elsewhere, incarnation: { counter: 2, nonce: 1 } });
    desk();
    await timer.advance(20_000);
    expect(await states()).toEqual([]);
  });

  it('fetches the awaited past of a silent origin from a peer that tells a beat of that life as settled (P9)', async () => {
    const { region: origin, incarnation } = eu.self;
    const past = { region: origin, incarnation: { ...incarnation, counter: 2 } };
    const beat = { number: 3, lsn: 1n, atMs: epochMs, count: 1, end: 2n };
    awaitPast(past);
    for (const region of [us, ap])
      for (const entry of ownEntries({ ...eu.self, ...past }, 9n)) {
        const { partition, lsn } = entry;
        const row = { origin, incarnation: past.incarnation, partition, applied: lsn, settled: lsn };
        await region.records.createPosition({ ...row, beat, nextOffset: 0n });
      }
    await eu.edit(id('a'), (e) => e.set('title', 'past'));
    await ap.take({ ...id('a'), state: await eu.state(id('a')) });
    away.add('eu');
    const told = new ToldVectors(clock());
    desk(told);
    const { region, incarnation: told2 } = ap.self;
    for (let second = 0; second < 60; second++) {
      const of = { origin, incarnation: past.incarnation, settled: [9n, 9n, 9n, 9n], echo: null };
      const message = {
        region,
        incarnation: told2,
        publishedAtMs: 0,
        publishedCount: null,
        barriers: silence,
      };
      told.note({ ...message, origins: [{ ...of, settledBeat: second < 30 ? null : 3 }] });
      await timer.advance(1000);
      if (second === 29) expect(counted).toEqual([]);
    }
    expect(counted).toEqual(['eu tail']);
    expect(await us.records.read(id('a'))).not.toBeNull();
    expect((await new MemoryAgendaStore(us).read()).awaited).toEqual([]);
  });

  it('goes on with the job of a process that is gone', async () => {
    for (let index = 0; index < 30; index++) await eu.edit(id(`k${index}`), (e) => e.set('title', 't'));
    away.add('eu');
    gaps = [gapOf(eu.self.region)];
    const first = desk();
    await timer.advance(2000);
    await closed(first);
    gaps = [];
    away.clear();
    expect(await states()).toEqual(['eu running']);
    desk();
    await timer.advance(60_000);
    expect([await states(), counted]).toEqual([['eu done'], ['eu gap']]);
  });

  it('fetches the tail of a silent origin from the peer that holds more of it (P6)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'tail'));
    await ap.take({ ...id('a'), state: await eu.state(id('a')) });
    const vector = ownEntries(eu.self, 500n);
    const job = await ap.jobs.want({
      donor: eu.self.region,
      origin: eu.self.region,
      cause: 'gap',
      isDryRun: true,
    });
    await ap.transfers.raise({
      region: ap.self.region,
      given: [],
      whole: [],
      beats: [],
      floorMs: 0,
      job,
      vector,
      partitionOf: () => 0,
      decide: () => [],
    });
    away.add('eu');
    const told = new ToldVectors(clock());
    desk(told);
    const settled = vector.map(({ lsn }) => lsn);
    const { region, incarnation } = ap.self;
    const { region: origin } = eu.self;
    for (let second = 0; second < 30; second++) {
      const origins = [{ origin, incarnation: eu.self.incarnation, settled, settledBeat: null, echo: null }];
      told.note({ region, incarnation, publishedAtMs: 0, publishedCount: null, origins, barriers: silence });
      await timer.advance(1000);
    }
    expect(counted).toEqual(['eu tail']);
    expect(await us.records.read(id('a'))).not.toBeNull();
    const [position] = await us.records.positions(origin);
    expect(position).toMatchObject({ applied: 500n, settled: 500n });
  });
});

describe('the sweeper', () => {
  let told: unknown[][];
  let ended: SweepResult[];
  const logger: Logger = { ...silent, error: (...said: unknown[]) => void told.push(said) };

  beforeEach(() => {
    told = [];
    ended = [];
  });

  function sweeper(isRelearning = false): void {
    const { self, transfers: store, jobs, damaged } = us;
    const peers = [eu.self.region];
    const verifications = {
      began: (of: RegionId) => us.verifications.began(of),
      ended: (of: RegionId, result: SweepResult) => {
        ended.push(result);
        return us.verifications.ended(of, result);
      },
    };
    const shared = { self, peers, store, jobs, verifications, damaged, clock: clock(), timer };
    const rest = { agenda: agenda(), closed: () => [], isRelearning: () => isRelearning, logger };
    const started = new Sweeper({ ...shared, ...rest, donor: peer() });
    running.push(started);
    started.start();
  }

  /** Each settles whatever the other has, again and again. */
  function keepOn(only?: MemoryRegion): void {
    timer.after(500, () => {
      const both = [
        [us, eu],
        [eu, us],
      ] as const;
      const turns = both.filter(([target]) => only === undefined || target === only);
      void Promise.all(
        turns.map(async ([target, source]) => {
          const { region } = source.self;
          const vector = ownEntries(source.self, source.database.wal.insert);
          await target.transfers.raise({
            region: target.self.region,
            given: [],
            whole: [],
            beats: [],
            floorMs: 0,
            job: 0,
            vector,
            partitionOf: () => 0,
            decide: () => [],
          });
          return region;
        }),
      ).then(() => keepOn(only));
    });
  }

  const proven = async () => (await us.verifications.all())[0];

  it('proves again and again what both sides show', async () => {
    keepOn();
    sweeper();
    await timer.advance(40_000);
    const first = (await proven())?.throughMs ?? 0;
    await timer.advance(120_000);
    expect((await proven())?.throughMs ?? 0).toBeGreaterThan(first + 50_000);
    expect(await us.jobs.recent()).toEqual([]);
  });

  it('numbers a sweep before it reads, so that one wanted meanwhile is another (0068)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'on the way'));
    await us.verifications.want([eu.self.region]);
    sweeper();
    await timer.advance(5000);
    expect(await proven(), 'it waits for both to catch up').toMatchObject({
      isWanted: false,
      diverged: null,
    });
    const wish = await us.verifications.want([eu.self.region]);
    const next = wish.get(eu.self.region) ?? expect.fail('it has a number');
    await us.take({ ...id('a'), state: await eu.state(id('a')) });
    keepOn();
    await timer.advance(10_000);
    expect(ended).toMatchObject([
      { sweep: next - 1, diverged: 0 },
      { sweep: next, diverged: 0 },
    ]);
    expect(await proven()).toMatchObject({ cleanSweep: next, isWanted: false });
  });

  it('tells a divergence, has it mended, and takes the word back only after a clean sweep (P7)', async () => {
    keepOn();
    sweeper();
    await timer.advance(40_000);
    const clean = (await proven())?.throughMs;
    await eu.edit(id('a'), (e) => e.set('title', 'lost on the way'));
    await timer.advance(2000);
    await us.verifications.want([eu.self.region]);
    for (let seconds = 0; (await proven())?.diverged === false; seconds++) {
      expect(seconds).toBeLessThan(20);
      await timer.advance(1000);
    }
    expect(await proven()).toMatchObject({ diverged: true, throughMs: clean });
    expect(await us.jobs.open()).toMatchObject([{ donor: 'eu', cause: 'sweep' }]);
    await timer.advance(30_000);
    expect(await proven()).toMatchObject({ diverged: true });
    desk();
    await timer.advance(90_000);
    expect(await proven()).toMatchObject({ diverged: false });
    expect(counted).toEqual(['eu sweep']);
  });

  const stands = (
    region: MemoryRegion,
    vector: ReturnType<typeof ownEntries>,
    whole: readonly WholePast[] = [],
  ) =>
    region.transfers.raise({
      region: region.self.region,
      given: vector.slice(-1),
      whole,
      beats: [],
      floorMs: 0,
      job: 0,
      vector,
      partitionOf: () => 0,
      decide: () => [],
    });

  /** eu has more of ap's first life than us, which reads the next one already. */
  async function behind(): Promise<void> {
    const next = { ...ap.self, incarnation: { ...ap.self.incarnation, counter: 2 } };
    await stands(eu, ownEntries(ap.self, 500n));
    await stands(us, [...ownEntries(ap.self, 400n), ...ownEntries(next, 450n)]);
    keepOn();
  }

  it('fetches from a peer that holds more of a life that is over, which no log brings any more (P9)', async () => {
    await behind();
    sweeper();
    desk();
    await timer.advance(90_000);
    expect(counted).toEqual(['ap tail']);
    const reached = (await us.transfers.standing()).applied.find(({ lsn }) => lsn === 500n);
    expect(reached).toMatchObject({ region: 'ap', incarnation: ap.self.incarnation });
    expect(await proven()).toMatchObject({ diverged: false });
  });

  it('fetches once where all that anybody shows of a past is at a peer and not here (P9)', async () => {
    const next = { ...ap.self, incarnation: { ...ap.self.incarnation, counter: 2 } };
    const both = [...ownEntries(ap.self, 400n), ...ownEntries(next, 450n)];
    const whole = [{ region: ap.self.region, before: 2 }];
    await stands(eu, both, whole);
    await stands(us, both);
    await us.transfers.expect(ownEntries(ap.self, 600n));
    keepOn();
    sweeper();
    desk();
    await timer.advance(180_000);
    expect(counted).toEqual(['ap tail']);
    expect((await us.transfers.standing()).whole).toEqual(whole);
    expect(await proven(), 'nothing is waited for that is nowhere').toMatchObject({ diverged: false });
  });

  it('leaves that to whoever still reads the past out of the own log', async () => {
    await behind();
    sweeper(true);
    await timer.advance(40_000);
    expect(await us.jobs.recent()).toEqual([]);
  });

  /** Its last byte is gone, and with it its last entry. */
  const cut = (state: Uint8Array) => state.slice(0, -1);
  const ofNextFormat = (state: Uint8Array) => Uint8Array.of(0x20, ...state.subarray(1));

  /** Both have written it, and both hold the same. */
  async function heldByBoth(key: string): Promise<Uint8Array> {
    await eu.edit(id(key), (e) => e.set('title', key));
    await us.take({ ...id(key), state: await eu.state(id(key)) });
    await us.edit(id(key), (e) => e.set('title', `${key} of us`));
    const state = await us.state(id(key));
    await eu.take({ ...id(key), state });
    return state;
  }

  it('passes over a damaged own record, mends the others, and has it replaced by what a peer shows (0062)', async () => {
    const state = await heldByBoth('a');
    await us.take({ ...id('a'), state: cut(state) });
    await eu.edit(id('b'), (e) => e.set('title', 'lost on the way'));
    keepOn();
    sweeper();
    await timer.advance(40_000);
    expect(await proven()).toMatchObject({ diverged: true, throughMs: null });
    const named = [{ ...id('a'), side: 'own', cause: 'malformed' }];
    expect(told.slice(0, 2)).toEqual([
      [{ peer: 'eu', records: 1, named }, 'records cannot be read'],
      [{ peer: 'eu', records: 1 }, expect.stringMatching(/^diverged/)],
    ]);
    desk();
    await timer.advance(90_000);
    expect(await us.state(id('a'))).toEqual(state);
    expect(await us.state(id('b'))).toEqual(await eu.state(id('b')));
    expect(us.records.deadLetters.counts()).toEqual([]);
    expect(await proven()).toMatchObject({ diverged: false });
  });

  it('comes to a damaged own record also while changes to it are put aside and settle nothing (0062)', async () => {
    const state = await heldByBoth('b');
    await us.take({ ...id('b'), state: cut(state) });
    await eu.edit(id('a'), (e) => e.set('title', 'on its way'));
    keepOn(eu);
    sweeper();
    await timer.advance(100_000);
    expect(told).toMatchObject([[{ records: 1, named: [id('b')] }, 'records cannot be read']]);
    expect(await proven()).toMatchObject({ diverged: true, throughMs: null });
    desk();
    await timer.advance(10_000);
    expect(await us.state(id('b'))).toEqual(state);
    keepOn(us);
    await timer.advance(120_000);
    expect(await proven()).toMatchObject({ diverged: false });
  });

  it('names what it cannot read of a peer, and fetches nothing for it (0062)', async () => {
    const state = await heldByBoth('a');
    await eu.take({ ...id('a'), state: ofNextFormat(state) });
    await heldByBoth('b');
    await eu.take({ ...id('b'), state: cut(await eu.state(id('b'))) });
    keepOn();
    sweeper();
    await timer.advance(120_000);
    const named = [
      { ...id('a'), side: 'theirs', cause: 'newer-format' },
      { ...id('b'), side: 'theirs', cause: 'malformed' },
    ];
    expect(told).toContainEqual([{ peer: 'eu', records: 2, named }, 'records cannot be read']);
    expect(told.length, 'of a sweep a minute').toBeLessThan(4);
    expect(await proven()).toMatchObject({ diverged: true });
    expect(await us.jobs.open()).toEqual([]);
    expect(await us.state(id('a'))).toEqual(state);
  });

  it('leaves an own record alone that a newer version wrote (0062)', async () => {
    const newer = ofNextFormat(await heldByBoth('a'));
    await us.take({ ...id('a'), state: newer });
    keepOn();
    sweeper();
    desk();
    await timer.advance(120_000);
    expect(counted).toEqual([]);
    expect(await us.state(id('a'))).toEqual(newer);
    expect(await proven()).toMatchObject({ diverged: true });
  });

  it('is closed while the peer answers nothing', async () => {
    hung.add('eu');
    sweeper();
    await timer.advance(40_000);
    await closed(running.pop() ?? expect.fail('it runs'));
  });

  it('proves nothing while a side does not catch up', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'on its way'));
    keepOn(eu);
    sweeper();
    await timer.advance(120_000);
    expect([ended, await us.jobs.open(), told]).toEqual([[], [], []]);
  });

  it('proves nothing while the peer is away', async () => {
    away.add('eu');
    sweeper();
    await timer.advance(120_000);
    expect(ended).toEqual([]);
  });
});
