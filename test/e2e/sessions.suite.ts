/**
 * Sessions over two real regions (P5, I9): a caller who moves on sees what it wrote and never less than what it saw, or
 * is told after a bounded wait what is missing.
 */
import { expect, test } from 'vitest';
import { query } from '../contract/fresh-database.ts';
import { until } from '../until.ts';
import { useDemo } from './use-demo.ts';

const demo = useDemo();
const waitMs = 300;

interface Answer {
  readonly status: number;
  readonly session: string;
  readonly code: unknown;
  readonly likes: unknown;
  readonly tookMs: number;
}

interface Asked {
  readonly method?: 'GET' | 'PATCH';
  readonly session?: string;
  readonly waitMs?: number | string;
}

async function ask(region: string, key: string, of: Asked = {}): Promise<Answer> {
  const { method = 'GET', session, waitMs: wait } = of;
  const beganMs = performance.now();
  const response = await fetch(`${demo.serversOf(region).api}/v1/collections/products/records/${key}`, {
    method,
    signal: AbortSignal.timeout(15_000),
    headers: {
      ...(session === undefined ? {} : { 'isthmus-session': session }),
      ...(wait === undefined ? {} : { 'isthmus-wait': String(wait) }),
      ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
    },
    ...(method === 'GET' ? {} : { body: JSON.stringify({ increment: { likes: 1 } }) }),
  });
  const body: unknown = await response.json();
  return {
    status: response.status,
    session: response.headers.get('isthmus-session') ?? expect.fail('every answer carries a session'),
    code: memberOf(body, 'code'),
    likes: memberOf(memberOf(body, 'value'), 'likes'),
    tookMs: performance.now() - beganMs,
  };
}

/** A machine that stands still for a second makes a database silent; nothing was done then, and callers ask again. */
function answered(region: string, key: string, of: Asked): Promise<Answer> {
  return until(`${region} has its database`, 20_000, async () => {
    const answer = await ask(region, key, of);
    return answer.code === 'database-unavailable' ? null : answer;
  });
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return null;
  return Object.getOwnPropertyDescriptor(value, name)?.value ?? null;
}

test('I9: a caller reads its own writes in whichever region it lands', async () => {
  let session: string | undefined;
  for (let round = 1; round <= 20; round++) {
    const [here, there] = round % 2 === 0 ? ['eu', 'us'] : ['us', 'eu'];
    const written = await answered(here ?? '', 'mine', {
      method: 'PATCH',
      ...(session && { session }),
      waitMs: 10_000,
    });
    expect(written.status, JSON.stringify(written)).toBeLessThan(300);
    const read = await answered(there ?? '', 'mine', { session: written.session, waitMs: 10_000 });
    expect(read, JSON.stringify(read)).toMatchObject({ status: 200, likes: round });
    session = read.session;
  }
});

test('I9: behind a cut link a caller waits as long as it asked to, and is told; nobody else is', async () => {
  expect((await ask('us', 'cut', { method: 'PATCH' })).status).toBe(201);
  const before = await ask('eu', 'cut');
  await until('both have it', 20_000, async () => (await ask('eu', 'cut')).likes === 1);
  await demo.setLinks('cut');
  try {
    const written = await ask('eu', 'cut', { method: 'PATCH', session: before.session, waitMs });
    expect(written.likes).toBe(2);
    const refused = await ask('us', 'cut', { session: written.session, waitMs });
    expect(refused).toMatchObject({ status: 503, code: 'session-not-reached' });
    expect(refused.tookMs).toBeGreaterThan(waitMs - 20);
    expect(refused.tookMs).toBeLessThan(waitMs + 2000);
    expect(await ask('us', 'cut')).toMatchObject({ status: 200, likes: 1 });
    expect(await ask('eu', 'cut', { session: written.session, waitMs: 0 })).toMatchObject({ likes: 2 });
    await demo.setLinks('ok');
    expect(await ask('us', 'cut', { session: written.session, waitMs: 10_000 })).toMatchObject({ likes: 2 });
  } finally {
    await demo.setLinks('ok');
  }
}, 60_000);

test('I9: what was read of another region is demanded of the next one as well', async () => {
  await ask('eu', 'seen', { method: 'PATCH' });
  await until('us shows it', 20_000, async () => (await ask('us', 'seen')).likes === 1);
  const seen = await ask('us', 'seen');
  expect(await ask('eu', 'seen', { session: seen.session, waitMs: 10_000 })).toMatchObject({ likes: 1 });
});

test('a session that is not ours, and a wait that is none, are refused', async () => {
  const { session } = await ask('eu', 'mine');
  const forged = `${session.slice(0, -4)}AAAA`;
  expect(await ask('us', 'mine', { session: forged })).toMatchObject({
    status: 400,
    code: 'session-invalid',
  });
  for (const wait of ['10001', '-1', 'soon'])
    expect(await ask('us', 'mine', { waitMs: wait })).toMatchObject({ status: 400, code: 'session-invalid' });
});

test('what an incarnation that is over never handed on is told as lost at once, and not waited for (P5)', async () => {
  await ask('us', 'lost', { method: 'PATCH' });
  await until('eu has it', 20_000, async () => (await ask('eu', 'lost')).likes === 1);
  await demo.setLinks('cut');
  const written = await ask('us', 'lost', { method: 'PATCH' });
  const { database } = demo.serversOf('eu');
  await query(
    database,
    `INSERT INTO isthmus.closed_incarnation (region, incarnation_counter, incarnation_nonce, partition, lsn)
    SELECT origin, incarnation_counter, incarnation_nonce, partition, applied FROM isthmus.position WHERE origin = 'us'`,
  );
  try {
    const lost = await ask('eu', 'lost', { session: written.session, waitMs: 10_000 });
    expect(lost).toMatchObject({ status: 409, code: 'session-lost' });
    expect(lost.tookMs).toBeLessThan(5000);
    expect(await ask('eu', 'lost')).toMatchObject({ status: 200, likes: 1 });
  } finally {
    await query(database, 'DELETE FROM isthmus.closed_incarnation');
    await demo.setLinks('ok');
  }
  expect(await ask('eu', 'lost', { session: written.session, waitMs: 10_000 })).toMatchObject({ likes: 2 });
}, 60_000);
