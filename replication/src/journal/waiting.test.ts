/** What becomes of edits that had to wait. The store of these tests locks records when the test says. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import { actorOf, parseRegionId } from '../ports/identity.ts';
import type { LocalTransaction } from '../ports/record-store.ts';
import { Journal } from './journal.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const state = new Uint8Array([1]);

test('an edit that nobody expects any more is refused and does nothing, beside others that are served', async () => {
  const timer = new ManualTimer();
  const locks: (() => void)[] = [];
  const written: number[] = [];
  const journal = new Journal({
    store: {
      commitLocal: async ({ ids, decide }: LocalTransaction) => {
        await new Promise<void>((resolve) => locks.push(resolve));
        const writes = await decide({ states: ids.map(() => new Uint8Array()), floor: 0, floorMs: 0 });
        written.push(writes.length);
        return null;
      },
    },
    clock: { nowMs: () => 1_700_000_000_000 },
    actor: actorOf(region, { counter: 1, nonce: 1 }),
    timer,
    maxWaitingEdits: 2000,
    paceMs: () => 0,
    onBatch: () => undefined,
  });
  const ran: string[] = [];
  const write = (key: string) => {
    const edit = () => (ran.push(key), { kind: 'write' as const, state, delta: state, result: key });
    return journal.write([{ id: { collection: 'products', key }, edit }]).then(
      ({ kind }) => kind,
      (reason: unknown) => reason,
    );
  };
  const goOn = async (): Promise<void> => {
    locks.shift()?.();
    await timer.advance(1);
  };

  const first = write('locked late');
  await timer.advance(3000);
  const [old, young] = [write('old'), (await timer.advance(1001), write('young'))];
  await goOn();
  const late = { code: 'overloaded', retriable: true, message: 'the edits waited for 4001 ms; at most 4000' };
  expect(await first).toMatchObject(late);
  await timer.advance(3000);
  await goOn();
  expect(await young).toBe('done');
  expect(await old).toMatchObject({ ...late, message: 'the edits waited for 4002 ms; at most 4000' });
  expect(ran).toEqual(['young']);
  expect(written).toEqual([0, 1]);

  const [held, overdue] = [write('held'), (await timer.advance(1), write('overdue'))];
  await timer.advance(4001);
  await goOn();
  expect([await held, await overdue]).toMatchObject([{ code: 'overloaded' }, { code: 'overloaded' }]);
  // Nobody was left whose records had to be locked.
  expect([locks.length, written]).toEqual([0, [0, 1, 0]]);
});

/** Decides as the store does, which loses its database before the decision comes about. */
test('a transaction that fails before it is decided takes no place away for good', async () => {
  const mebibyte = 1024 * 1024;
  const manual = new ManualTimer();
  const turns: (() => void)[] = [];
  const committing: { readonly name: string; readonly fail: () => void }[] = [];
  const journal = new Journal({
    store: {
      commitLocal: ({ ids, decide }: LocalTransaction) => {
        const decided = decide({ states: ids.map(() => new Uint8Array(mebibyte)), floor: 0, floorMs: 0 });
        const lost = new ReplicationError('database-unavailable', 'lost', { retriable: true });
        return new Promise((resolve, reject) => {
          committing.push({ name: ids[0]?.key ?? '', fail: () => reject(lost) });
          void Promise.resolve(decided).then(() => resolve(null));
        });
      },
    },
    clock: { nowMs: () => 1_700_000_000_000 },
    actor: actorOf(region, { counter: 1, nonce: 1 }),
    timer: {
      monotonicMs: () => 0,
      after: (delayMs, fire) => manual.after(delayMs, fire),
      turn: (fire) => void turns.push(fire),
    },
    maxWaitingEdits: 2000,
    paceMs: () => 0,
    onBatch: () => undefined,
  });
  const write = (key: string, count: number) => {
    const edit = () => ({ kind: 'keep' as const, result: key });
    const edits = Array.from({ length: count }, () => ({ id: { collection: 'products', key }, edit }));
    return journal.write(edits).then(
      ({ kind }) => kind,
      ({ code }: ReplicationError) => code,
    );
  };
  const goOn = async (count: number): Promise<void> => {
    for (let taken = 0; taken < count; taken++) {
      await manual.advance(0);
      turns.shift()?.();
    }
    await manual.advance(0);
  };
  for (let round = 0; round < 3; round++) {
    const large = ['a', 'b', 'c', 'd'].map((key) => write(`${key}${round}`, 60));
    await goOn(8);
    expect(committing).toHaveLength(4);
    for (const { fail } of committing.splice(0)) fail();
    expect(new Set(await Promise.all(large))).toEqual(new Set(['database-unavailable']));
    await goOn(300);
  }
  const [slow, quick] = [write('slow', 60), write('quick', 1)];
  await goOn(8);
  expect(committing.map(({ name }) => name)).toEqual(['slow', 'quick']);
  expect(await quick).toBe('done');
  await goOn(300);
  expect(await slow).toBe('done');
});

test('whoever waits in line is refused in time, also where the store does not answer at all', async () => {
  const timer = new ManualTimer();
  const journal = new Journal({
    store: { commitLocal: () => new Promise<null>(() => undefined) },
    clock: { nowMs: () => 1_700_000_000_000 },
    actor: actorOf(region, { counter: 1, nonce: 1 }),
    timer,
    maxWaitingEdits: 2,
    paceMs: () => 0,
    onBatch: () => undefined,
  });
  const ends: unknown[] = [];
  const write = (key: string) => {
    const edit = () => ({ kind: 'write' as const, state, delta: state, result: key });
    void journal.write([{ id: { collection: 'products', key }, edit }]).then(
      () => ends.push(key),
      (reason: unknown) => ends.push([key, reason]),
    );
  };
  write('sent');
  write('first');
  await timer.advance(2000);
  write('second');
  await timer.advance(2500);
  const late = { code: 'overloaded', message: expect.stringMatching(/waited for 4\d{3} ms; at most 4000/) };
  expect(ends).toEqual([['first', expect.objectContaining(late)]]);
  write('third');
  await timer.advance(2000);
  expect(ends, 'there was room for the third').toHaveLength(2);
  expect(ends[1]).toEqual(['second', expect.objectContaining(late)]);
});
