import { schema, register, counter } from '@isthmus/conflict';
import { startPostgres } from '@isthmus/local/postgres';
import type { Postgres } from '@isthmus/local/postgres';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import type { Database } from '@isthmus/replication/adapters/postgres/open-database';
import { Journal } from '@isthmus/replication/journal/journal';
import type { BatchReport, Edit } from '@isthmus/replication/journal/journal';
import { actorOf, parseRegionId } from '@isthmus/replication/ports/identity';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const products = schema({ title: register(), likes: counter() });
const collection = 'products';

let postgres: Postgres;
let database: Database;
let journal: Journal;
let batches: BatchReport[];

beforeAll(async () => {
  postgres = await startPostgres();
  database = await openDatabase({ connectionString: postgres.url, region, peers: [], trustsRestarts: true });
  batches = [];
  journal = journalOn(database.records);
}, 60_000);

afterAll(async () => {
  await journal.close();
  await database.close();
  await postgres.stop();
});

test('callers that arrive together share transactions, and each is answered', async () => {
  batches.length = 0;
  const writes = Array.from({ length: 200 }, (_, index) =>
    journal.write([increment(`shared-${index % 3}`, 1)]),
  );
  const outcomes = await Promise.all(writes);
  expect(outcomes.every((outcome) => outcome.kind === 'done')).toBe(true);
  expect(batches.length).toBeLessThan(10);
  const likes = await Promise.all([0, 1, 2].map((index) => likesOf(`shared-${index}`)));
  expect(likes).toEqual([67, 67, 66]);
});

test('a caller that is refused or fails writes nothing and spoils nobody else', async () => {
  const refusal = journal.write([increment('a', 1), refuse('b')]);
  const failure = journal.write([increment('a', 10), fail('c')]);
  const good = journal.write([increment('a', 100)]);
  expect(await refusal).toEqual({ kind: 'refused', index: 1, refusal: 'no' });
  await expect(failure).rejects.toThrow('the edit broke');
  expect(await good).toMatchObject({ kind: 'done', results: ['ok'], commit: { end: expect.any(BigInt) } });
  expect(await likesOf('a')).toBe(100);
  expect(await database.records.read({ collection, key: 'b' })).toBeNull();
  expect(await database.records.read({ collection, key: 'c' })).toBeNull();
});

test('one caller may touch a record twice and sees its own edit', async () => {
  await journal.write([increment('twice', 1), increment('twice', 2)]);
  expect(await likesOf('twice')).toBe(3);
});

test('limits are typed: 500 edits, 1 MiB of changes, a bounded queue', async () => {
  const many = Array.from({ length: 501 }, (_, index) => increment(`many-${index}`, 1));
  await expect(journal.write(many)).rejects.toMatchObject({ code: 'transaction-too-large' });
  const large = Array.from({ length: 5 }, (_, index) => setTitle(`large-${index}`, 'x'.repeat(250_000)));
  await expect(journal.write(large)).rejects.toMatchObject({ code: 'transaction-too-large' });
  expect(await database.records.read({ collection, key: 'large-0' })).toBeNull();
  const flood = Array.from({ length: 3000 }, () => journal.write([increment('flood', 1)]));
  const settled = await Promise.allSettled(flood);
  const refused = settled.filter((one) => one.status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  expect(
    refused.every(
      (one) => one.reason instanceof Error && 'code' in one.reason && one.reason.code === 'overloaded',
    ),
  ).toBe(true);
  expect(await likesOf('flood')).toBe(3000 - refused.length);
});

test('callers whose changes do not fit into one transaction together are served one after the other', async () => {
  const writes = Array.from({ length: 8 }, (_, index) =>
    journal.write([setTitle(`big-${index}`, 'y'.repeat(200_000))]),
  );
  expect((await Promise.all(writes)).every((outcome) => outcome.kind === 'done')).toBe(true);
});

test('while one transaction waits for the disk the next one decides, but never on a record of the former', async () => {
  const { isDurable, makeDurable } = disk();
  const overlapping = journalOn({
    commitLocal: async (transaction) => {
      const done = await database.records.commitLocal(transaction);
      await isDurable;
      return done;
    },
  });
  const decided: string[] = [];
  const noted = (key: string, name: string): Edit<string, string> => {
    const { id, edit } = increment(key, 1);
    return { id, edit: (...given) => (decided.push(name), edit(...given)) };
  };
  const writes = [overlapping.write([noted('one', 'first')])];
  await until('the first is decided', 10_000, () => decided.length === 1);
  writes.push(
    overlapping.write([noted('one', 'again'), noted('two', 'with it')]),
    overlapping.write([noted('two', 'behind')]),
    overlapping.write([noted('three', 'other'), ...crowd('beside', 25)]),
  );
  await until('another one is decided', 10_000, () => decided.length > 1);
  expect(decided).toEqual(['first', 'other']);
  makeDurable();
  await Promise.all(writes);
  expect(decided).toEqual(['first', 'other', 'again', 'with it', 'behind']);
  await overlapping.close();
});

test('transactions under way are bounded: a fourth one waits', async () => {
  const { isDurable, makeDurable } = disk();
  let begun = 0;
  let committed = 0;
  const overlapping = journalOn({
    commitLocal: async (transaction) => {
      begun++;
      const done = await database.records.commitLocal(transaction);
      committed++;
      await isDurable;
      return done;
    },
  });
  const writes: Promise<unknown>[] = [];
  for (let count = 1; count <= 3; count++) {
    writes.push(overlapping.write(crowd(`bound-${count}`, 25)));
    await until(`${count} transactions wait for the disk`, 10_000, () => committed === count);
  }
  writes.push(overlapping.write(crowd('bound-4', 25)));
  expect(begun).toBe(3);
  makeDurable();
  await Promise.all(writes);
  await overlapping.close();
  expect(begun).toBe(4);
});

test('edits of a large record take turns, and other transactions begin between them', async () => {
  const decided: string[] = [];
  const noted = (name: string, { id, edit }: Edit<string, string>, also = (): void => undefined) => ({
    id,
    edit: (...given: Parameters<typeof edit>) => {
      decided.push(name);
      also();
      return edit(...given);
    },
  });
  await journal.write([setTitle('turns', 'x'.repeat(250_000))]);
  // Others have their connections before it begins.
  const ids = [1, 2, 3, 4].map((number) => ({ collection, key: `warm-${number}` }));
  await Promise.all(ids.map((id) => database.records.read(id)));
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  count();
  const others: Promise<unknown>[] = [];
  const begin = (): void => {
    if (others.length === 0) others.push(journal.write([noted('other', increment('beside', 1))]));
  };
  const edits = Array.from({ length: 24 }, (_, index) =>
    noted(`large ${index}`, increment('turns', 1), index === 2 ? begin : undefined),
  );
  expect(await journal.write(edits)).toMatchObject({ kind: 'done' });
  isDone = true;
  await Promise.all(others);
  expect(await likesOf('turns')).toBe(24);
  // Each edit takes a quarter of a MiB and makes another.
  expect(turns).toBeGreaterThanOrEqual(23);
  expect(decided.indexOf('other')).toBeGreaterThan(decided.indexOf('large 2'));
  expect(decided.indexOf('other')).toBeLessThan(decided.indexOf('large 23'));
});

test('edits that take more than 64 MiB of records together are refused before any is done', async () => {
  await journal.write([setTitle('heavy', 'x'.repeat(250_000))]);
  let done = 0;
  const { id, edit } = increment('heavy', 1);
  const counted = { id, edit: (...given: Parameters<typeof edit>) => (done++, edit(...given)) };
  await expect(journal.write(Array.from({ length: 270 }, () => counted))).rejects.toMatchObject({
    code: 'transaction-too-large',
    message: expect.stringMatching(/take \d+ bytes of records.* at most 67108864/),
  });
  expect(done).toBe(0);
  expect(await likesOf('heavy')).toBe(0);
});

test('few callers wait for the transaction under way and go together, instead of each beside it', async () => {
  const { isDurable, makeDurable } = disk();
  const sizes: number[] = [];
  let committed = 0;
  const patient = journalOn({
    commitLocal: async (transaction) => {
      sizes.push(transaction.ids.length);
      const done = await database.records.commitLocal(transaction);
      committed++;
      await isDurable;
      return done;
    },
  });
  const writes = [patient.write([increment('few', 1)])];
  await until('the first waits for the disk', 10_000, () => committed === 1);
  for (let index = 0; index < 24; index++) writes.push(patient.write([increment(`few-${index}`, 1)]));
  expect(sizes).toEqual([1]);
  makeDurable();
  await Promise.all(writes);
  await patient.close();
  expect(sizes).toEqual([1, 24]);
});

test('without Postgres it is refused at once, and served again without a new journal', async () => {
  await postgres.kill('SIGKILL');
  await expect(journal.write([increment('later', 1)])).rejects.toMatchObject({
    code: 'database-unavailable',
  });
  await postgres.restart();
  await expect
    .poll(async () => (await journal.write([increment('later', 1)]).catch(() => null))?.kind, {
      timeout: 20_000,
    })
    .toBe('done');
  expect(await likesOf('later')).toBe(1);
});

test('once closed it takes nothing more and has answered everything', async () => {
  const last = journal.write([increment('last', 1)]);
  await journal.close();
  expect((await last).kind).toBe('done');
  await expect(journal.write([increment('last', 1)])).rejects.toMatchObject({ code: 'closed' });
});

function journalOn(store: Pick<Database['records'], 'commitLocal'>): Journal {
  return new Journal({
    store,
    clock: database.clock,
    actor: actorOf(region, database.identity.incarnation),
    timer: systemTimer,
    maxWaitingEdits: 2000,
    paceMs: () => 0,
    onBatch: (report) => batches.push(report),
  });
}

/** One that takes as long as the test says. */
function disk(): { readonly isDurable: Promise<void>; readonly makeDurable: () => void } {
  let makeDurable = (): void => undefined;
  const isDurable = new Promise<void>((resolve) => {
    makeDurable = resolve;
  });
  return { isDurable, makeDurable: () => makeDurable() };
}

/** Of records of their own. */
function crowd(name: string, count: number): readonly Edit<string, string>[] {
  return Array.from({ length: count }, (_, index) => increment(`${name}-${index}`, 1));
}

function increment(key: string, amount: number): Edit<string, string> {
  return edited(key, (editor) => editor.increment('likes', amount));
}

function setTitle(key: string, title: string): Edit<string, string> {
  return edited(key, (editor) => editor.set('title', title));
}

type Change = Parameters<typeof products.edit>[2];

function edited(key: string, change: Change): Edit<string, string> {
  return {
    id: { collection, key },
    edit: (before, context) => {
      const { state, delta } = products.edit(before, context, change);
      return { kind: 'write', state, delta, result: 'ok' };
    },
  };
}

function refuse(key: string): Edit<string, string> {
  return { id: { collection, key }, edit: () => ({ kind: 'refuse', refusal: 'no' }) };
}

function fail(key: string): Edit<string, string> {
  return {
    id: { collection, key },
    edit: () => {
      throw new TypeError('the edit broke');
    },
  };
}

async function likesOf(key: string): Promise<unknown> {
  const state = await database.records.read({ collection, key });
  return state === null ? null : products.read(state).value?.['likes'];
}
