/** What sessions promise (P5), on places that the test makes up: each rule, and the way back in time that it closes. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { partitionOf } from '../log/partition.ts';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import type { SeenCommit, SessionPlace } from '../ports/session-store.ts';
import type { VectorEntry } from '../ports/vector.ts';
import { accepted, afterRead, afterWrite, judgeSession, newSession } from './session.ts';
import { SessionDesk } from './session-desk.ts';
import { decodeSession, encodeSession } from './session-token.ts';

const eu = issuer('eu');
const us = issuer('us');
const ap = issuer('ap');
const zero = new Set([0]);
const key = Buffer.from('a key for tests alone');
const id = { collection: 'products', key: 'a' };

function issuer(name: string, counter = 1) {
  const region: RegionId = parseRegionId(name) ?? expect.fail('a region');
  return { region, incarnation: { counter, nonce: 7 } };
}

function at(of: ReturnType<typeof issuer>, lsn: bigint, partition = 0): VectorEntry {
  return { ...of, partition, lsn };
}

/** A commit that read nothing of others. */
function alone(end: bigint): SeenCommit {
  return { end, seen: { applied: [], ahead: [] } };
}

function place(of: Partial<SessionPlace>): SessionPlace {
  const nothing = { applied: [], settled: [], ahead: [], whole: [], closed: [], retired: [], insertLsn: 0n };
  return { incarnation: us.incarnation, ...nothing, ownThrough: of.insertLsn ?? 0n, ...of };
}

test('a region includes what was written in it, and a peer only once that is settled there', () => {
  const session = afterWrite(newSession(eu), zero, alone(100n));
  expect(judgeSession(eu, place({ insertLsn: 100n }), session).kind).toBe('reached');
  expect(judgeSession(us, place({ settled: [at(eu, 99n)] }), session)).toMatchObject({ kind: 'waiting' });
  expect(judgeSession(us, place({ settled: [at(eu, 100n)] }), session).kind).toBe('reached');
});

test('a server that was not proven to be its own past includes only what a beat vouches for (I9, I11)', () => {
  const session = afterWrite(newSession(eu), zero, alone(100n));
  const restored = { insertLsn: 300n, settled: [at(eu, 0n)] };
  expect(judgeSession(eu, place({ ...restored, ownThrough: 99n }), session)).toMatchObject({
    kind: 'waiting',
  });
  expect(judgeSession(eu, place({ ...restored, ownThrough: 100n }), session).kind).toBe('reached');
  const read = afterRead(newSession(eu), place({ ...restored, ownThrough: 99n }), zero);
  expect(read.vector, 'who reads may have seen all that is there').toContainEqual(at(eu, 300n));
});

test('a reply to a write shows what others wrote, so the session has seen that as well', () => {
  const seen = { applied: [at(ap, 50n), at(ap, 90n, 1)], ahead: [at(us, 7n)] };
  const session = afterWrite(newSession(eu), zero, { end: 100n, seen });
  const elsewhere = (settled: bigint) => place({ settled: [at(eu, 100n), at(ap, settled), at(us, 7n)] });
  expect(judgeSession(us, elsewhere(49n), session)).toMatchObject({ missing: { region: 'ap', lsn: 50n } });
  expect(judgeSession(us, elsewhere(50n), session).kind).toBe('reached');
  expect(session.ahead).toEqual([at(us, 7n)]);
});

test('a change that was put aside fails no session at home, and holds back those elsewhere', () => {
  const held = place({ applied: [at(ap, 50n)], settled: [at(ap, 40n)] });
  const session = afterRead(newSession(us), held, zero);
  expect(judgeSession(us, held, session).kind).toBe('reached');
  expect(judgeSession(eu, place({ ...held, settled: [at(ap, 49n), at(us, 0n)] }), session)).toMatchObject({
    kind: 'waiting',
    missing: { region: 'ap' },
  });
});

test('what a transfer brought ahead is demanded elsewhere, so that nobody goes back in time', () => {
  const filling = place({ applied: [at(ap, 10n)], settled: [at(ap, 10n)], ahead: [at(ap, 90n)] });
  const session = afterRead(newSession(us), filling, zero);
  expect(judgeSession(us, filling, session).kind, 'the issuer shows it already').toBe('reached');
  const lower = place({ settled: [at(ap, 60n), at(us, 0n)], insertLsn: 5n });
  expect(judgeSession(eu, lower, session)).toMatchObject({ kind: 'waiting', missing: { lsn: 90n } });
  const higher = place({ ...lower, settled: [at(ap, 90n), at(us, 0n)] });
  expect(judgeSession(eu, higher, session).kind).toBe('reached');
  const onward = accepted(eu, session);
  expect(onward.ahead).toEqual([]);
  expect(
    judgeSession(eu, place({ applied: [at(ap, 89n)] }), onward),
    'the demand is kept whole',
  ).toMatchObject({
    kind: 'waiting',
  });
});

test('a read adds the places of its own partitions alone', () => {
  const both = place({ applied: [at(ap, 10n, 0), at(ap, 20n, 1)], insertLsn: 5n });
  expect(afterRead(newSession(us), both, zero).vector).toEqual([at(ap, 10n, 0), at(us, 5n, 0)]);
});

test('what lies beyond the end of a life is lost, and what lies before it only late', () => {
  const ended = place({ settled: [at(eu, 100n)], closed: [at(eu, 100n)] });
  expect(judgeSession(us, ended, afterWrite(newSession(eu), zero, alone(101n)))).toMatchObject({
    kind: 'lost',
    endedAt: 100n,
  });
  expect(judgeSession(us, ended, afterWrite(newSession(eu), zero, alone(100n))).kind).toBe('reached');
  const late = place({ settled: [at(eu, 50n)], closed: [at(eu, 100n)] });
  expect(judgeSession(us, late, afterWrite(newSession(eu), zero, alone(100n))).kind).toBe('waiting');
  const again = issuer('eu', 2);
  expect(judgeSession(again, ended, afterWrite(newSession(eu), zero, alone(101n))).kind, 'nor at home').toBe(
    'lost',
  );
});

test('what a retired region wrote beyond its end is lost, also of a life that nobody has heard of (P5)', () => {
  const gone = place({ settled: [at(eu, 60n)], closed: [at(eu, 100n)], retired: [eu.region] });
  const written = (by: ReturnType<typeof issuer>, lsn: bigint) =>
    afterWrite(newSession(by), zero, alone(lsn));
  expect(judgeSession(us, gone, written(eu, 101n))).toMatchObject({ kind: 'lost', endedAt: 100n });
  expect(judgeSession(us, gone, written(eu, 100n)).kind).toBe('waiting');
  expect(judgeSession(us, gone, written(issuer('eu', 2), 1n))).toMatchObject({ kind: 'lost', endedAt: 0n });
  expect(judgeSession(us, gone, written(ap, 1n)).kind).toBe('waiting');
});

test('a token comes back as it was, and no other bytes are taken', () => {
  const session = { issuer: eu, vector: [at(eu, 7n), at(us, 2n ** 63n, 1023)], ahead: [at(ap, 1n)] };
  const token = encodeSession(session, key);
  expect(decodeSession(token, key)).toEqual(session);
  expect(() => decodeSession(token, Buffer.from('another key'))).toThrow(/shares our key/);
  for (let index = 0; index < token.length; index++) {
    const changed = `${token.slice(0, index)}${token[index] === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`;
    if (Buffer.from(changed, 'base64url').equals(Buffer.from(token, 'base64url'))) continue;
    expect(() => decodeSession(changed, key)).toThrow(/session/);
  }
  expect(() => decodeSession('', key)).toThrow(/base64url/);
  expect(() => decodeSession('x'.repeat(9000), key)).toThrow(/at most 8192/);
});

/** Desks of regions on one store, which has so much of what eu wrote. */
function desks(settled: bigint) {
  const timer = new ManualTimer();
  const store = {
    era: 0,
    settled,
    incarnation: us.incarnation,
    place: async () => {
      const { incarnation, settled: lsn } = store;
      return place({ incarnation, insertLsn: 200n, settled: [at(eu, lsn, partitionOf(id, 4))] });
    },
  };
  const desk = (self: ReturnType<typeof issuer>) =>
    new SessionDesk({ self: { ...self, partitionCount: 4 }, store, key, timer });
  return { store, timer, desk };
}

test('the desk waits for what is missing, no longer than it was asked to', async () => {
  const { store, timer, desk } = desks(99n);
  const session = desk(us).parse(desk(eu).afterWrite(null, [id], alone(100n)));
  const reached = desk(us).reach(session, 1000);
  await timer.advance(200);
  store.settled = 100n;
  await timer.advance(200);
  expect((await reached).kind).toBe('reached');
  store.settled = 99n;
  const waited = desk(us).reach(session, 300);
  await timer.advance(400);
  expect(await waited).toMatchObject({ kind: 'waiting', missing: { region: 'eu', lsn: 100n } });
});

test('a place that was read before a crash is asked for again, and what was read across one is no answer (P5)', async () => {
  const { store, desk } = desks(100n);
  const here = desk(us);
  const token = desk(eu).afterWrite(null, [id], alone(100n));
  const session = here.parse(token);
  expect((await here.reach(session, 0)).kind).toBe('reached');
  await here.afterRead(session, [id]);
  store.settled = 90n;
  expect((await here.reach(here.parse(token), 0)).kind, 'nothing broke, so nothing can be gone').toBe(
    'reached',
  );
  store.era = 1;
  await expect(here.afterRead(session, [id])).rejects.toMatchObject({ code: 'database-unavailable' });
  expect((await here.reach(here.parse(token), 0)).kind).toBe('waiting');
});

test('a database that was emptied and became another includes nothing for who had opened it before (P5, P6)', async () => {
  const { store, desk } = desks(100n);
  const here = desk(us);
  const session = here.parse(desk(eu).afterWrite(null, [id], alone(100n)));
  expect((await here.reach(session, 0)).kind).toBe('reached');
  const own = here.parse(here.afterWrite(null, [id], alone(200n)));
  store.incarnation = { counter: 2, nonce: 9 };
  const refusal = { code: 'database-unavailable', retriable: true };
  await expect(here.afterRead(session, [id]), 'the place was found before').rejects.toMatchObject(refusal);
  await expect(here.afterRead(null, [id]), 'a token would name a life that is over').rejects.toMatchObject(
    refusal,
  );
  const fresh = desk(us);
  await expect(fresh.reach(own, 0), 'own writes are gone as well').rejects.toMatchObject(refusal);
});

test('what may be ahead of a past is here where that is whole, and what was written there beyond is lost (P9)', () => {
  const shown = place({ applied: [at(eu, 40n)], settled: [at(eu, 40n)], ahead: [at(eu, 90n)] });
  const session = afterRead(newSession(us), shown, zero);
  const closed = [at(eu, 40n)];
  const later = place({ settled: [at(eu, 40n), at(us, 0n)], closed });
  expect(judgeSession(ap, later, session).kind).toBe('lost');
  const whole = [{ region: eu.region, before: 2 }];
  expect(judgeSession(ap, { ...later, whole }, session).kind).toBe('reached');
  const written = afterWrite(newSession(eu), zero, alone(60n));
  expect(judgeSession(ap, { ...later, whole }, written)).toMatchObject({ kind: 'lost', endedAt: 40n });
  const before = [{ region: eu.region, before: 1 }];
  expect(judgeSession(ap, { ...later, whole: before }, session).kind).toBe('lost');

  const onward = accepted(ap, session, whole);
  expect(judgeSession(ap, place({ applied: [at(eu, 40n)] }), onward).kind).not.toBe('lost');
  expect(onward.vector).not.toContainEqual(at(eu, 90n));
  const again = afterRead(onward, { ...later, ahead: [at(eu, 90n)] }, zero);
  expect(judgeSession(eu, { ...later, closed: [] }, again), 'elsewhere it is asked for on').toMatchObject({
    kind: 'waiting',
    missing: { lsn: 90n },
  });
});

test('a life between two that are known here was never heard of, and nothing of it will come (P9)', () => {
  const session = afterWrite(newSession(issuer('eu', 2)), zero, alone(60n));
  const later = at(issuer('eu', 3), 10n);
  expect(judgeSession(us, place({ settled: [later] }), session)).toMatchObject({ kind: 'lost', endedAt: 0n });
  // Until the region has given what it holds of the lives before, nobody can say.
  expect(judgeSession(us, place({ applied: [later] }), session).kind).toBe('waiting');
  expect(judgeSession(us, place({ settled: [{ ...later, partition: 1 }] }), session).kind).toBe('waiting');
  expect(judgeSession(issuer('eu', 4), place({ settled: [later] }), session).kind).toBe('waiting');
});
