import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { register, schema } from '@isthmus/conflict';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import fastify, { type FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { formatDeadLetterId } from './dead-letter-id.ts';
import { addDeadLetterRoutes } from './dead-letter-routes.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 7 };
const at = { origin: us, incarnation, partition: 0, index: 0 };
const nowMs = Date.UTC(2026, 0, 1);
const id = { collection: 'products', key: 'lamp' };
const Product = schema({ title: register() });
const written = Product.edit(new Uint8Array(0), { actor: 'us.1.00000007', now: nowMs }, (e) =>
  e.set('title', 'lamp'),
);

/** One letter that nobody can read at 11, and at 13 one that can be applied by now. */
async function site() {
  const store = new MemoryRecordStore();
  const place = { incarnation, partition: 0, beat: null, nextOffset: 0n };
  await store.createPosition({ ...place, origin: us, applied: 0n, settled: 0n });
  const letter = { ...id, partition: 0, index: 0, cause: 'malformed' as const, detail: 'x', stampMs: null };
  const deadLetters = [
    { ...letter, lsn: 11n, delta: written.delta.subarray(0, -1) },
    { ...letter, lsn: 13n, delta: written.delta },
  ];
  const positions = [{ ...place, expected: 0n, applied: 30n }];
  const decide = () => ({ writes: [], deadLetters });
  await store.applyRemote({ origin: us, positions, ids: [id], decide });
  const logged: string[] = [];
  const log: FastifyBaseLogger = pino({}, { write: (line: string) => logged.push(line) });
  const app = fastify({ loggerInstance: log });
  app.setErrorHandler((error, _request, reply) => {
    const problem = error instanceof Problem ? error : expect.fail(String(error));
    return reply.status(problem.status).send({ code: problem.code });
  });
  const { deadLetters: letters } = store;
  const retrying = { letters, clock: { nowMs: () => nowMs }, maxDriftMs: 60_000 };
  addDeadLetterRoutes(app, () => ({ deadLetters: letters, retrying }));
  const discard = async (lsn: bigint, reason: unknown, query = '') => {
    const url = `/v1/dead-letters/${formatDeadLetterId({ ...at, lsn })}/discard${query}`;
    const response = await app.inject({ method: 'POST', url, payload: { reason } });
    return { status: response.statusCode, body: response.json() as unknown };
  };
  const settled = async () => (await store.positions(us))[0]?.settled;
  const list = async () => (await app.inject('/v1/dead-letters')).json() as unknown;
  return { discard, settled, list, logged };
}

test('gives one up for a reason, which holds progress on until a transfer comes, or until the loss is taken', async () => {
  const { discard, settled, list, logged } = await site();
  expect(await discard(11n, 'a bug', '?dryRun=true')).toMatchObject({
    status: 200,
    body: { dryRun: true, outcome: 'waiting', cause: 'malformed' },
  });
  expect(await list()).toMatchObject({ deadLetters: [{ givenUp: null }, {}] });
  expect(await discard(11n, ' a bug ')).toMatchObject({ status: 202, body: { outcome: 'waiting' } });
  expect(await list()).toMatchObject({ deadLetters: [{ givenUp: { reason: 'a bug' } }, {}] });
  expect(await settled()).toBe(10n);
  expect(await discard(11n, 'nobody has it', '?acceptLoss=true')).toMatchObject({
    status: 200,
    body: { outcome: 'lost' },
  });
  expect(await settled()).toBe(12n);
  const told = logged.filter((line) => line.includes('an operator gives up'));
  expect(told).toEqual([1, 2].map(() => expect.stringMatching(/"requestId":"req-[0-9a-z]+"/)));
});

test('gives nothing up that could be tried again, that is not there, or for no reason', async () => {
  const { discard, settled } = await site();
  expect(await discard(13n, 'x', '?acceptLoss=true')).toMatchObject({
    status: 200,
    body: { outcome: 'applicable' },
  });
  expect(await discard(12n, 'x')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  for (const reason of [undefined, '', ' ', 7, 'x'.repeat(501), 'a\0b'])
    expect(await discard(11n, reason)).toMatchObject({ status: 422, body: { code: 'invalid-value' } });
  expect(await settled()).toBe(10n);
});
