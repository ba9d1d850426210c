import { MemoryIncidentStore } from '@isthmus/replication/adapters/memory/incident-store';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { NewIncident } from '@isthmus/replication/ports/incident-store';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Problem } from '../problem.ts';
import { formatDeadLetterId, parseDeadLetterId } from './dead-letter-id.ts';
import { addIncidentRoutes } from './incident-routes.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const startedAtMs = Date.UTC(2026, 0, 1);
const pageShape = z.object({ incidents: z.array(z.object({ id: z.string() })), next: z.string().nullable() });
const both = { own: 3, peer: 2 };

function ended(writes: NewIncident['writes'], declaredAtMs: number | null = startedAtMs + 5000): NewIncident {
  return {
    peer: us,
    state: 'reconciled',
    startedAtMs,
    declaredAtMs,
    healedAtMs: startedAtMs + 20_000,
    settledAtMs: startedAtMs + 21_000,
    endedAtMs: startedAtMs + 30_000,
    from: { own: null, peer: null },
    until: null,
    writes,
    digests: { own: { products: 'd' }, peer: { products: 'd' } },
  };
}

async function site(incidents: readonly NewIncident[]) {
  const store = new MemoryIncidentStore();
  for (const incident of incidents) await store.create(incident);
  const app = fastify();
  app.setErrorHandler((error, _request, reply) => {
    const problem = error instanceof Problem ? error : expect.fail(String(error));
    return reply.status(problem.status).send({ code: problem.code });
  });
  const clock = { nowMs: () => startedAtMs + 60_000 };
  addIncidentRoutes(app, () => ({ region: eu, clock, incidents: store }));
  const get = async (path: string) => {
    const response = await app.inject(path);
    return { status: response.statusCode, body: response.json() as unknown };
  };
  return { store, get };
}

test('tells windows in which both sides wrote, or may have; all windows when asked, suspicions never', async () => {
  const { get } = await site([
    ended(both),
    ended({ own: 0, peer: 2 }),
    ended(both, null),
    ended({ own: 1, peer: null }),
  ]);
  expect(await get('/v1/incidents')).toMatchObject({
    body: {
      incidents: [
        { id: '4', splitBrain: null },
        { id: '1', splitBrain: true },
      ],
      next: null,
    },
  });
  expect(await get('/v1/incidents?include=windows')).toMatchObject({
    body: { incidents: [{ id: '4' }, { id: '2', splitBrain: false }, { id: '1' }] },
  });
  expect(await get('/v1/incidents/3')).toMatchObject({ status: 404 });
  expect(await get('/v1/incidents?include=all')).toMatchObject({ status: 422 });
});

test('goes on page by page without losing or doubling one', async () => {
  const { get } = await site(
    Array.from({ length: 7 }, (_, index) => ended(index % 2 === 0 ? both : { own: 0, peer: 0 })),
  );
  const found: unknown[] = [];
  let next: string | null = null;
  do {
    const after: string = next === null ? '' : `&after=${next}`;
    const page: z.infer<typeof pageShape> = pageShape.parse(
      (await get(`/v1/incidents?limit=2${after}`)).body,
    );
    found.push(...page.incidents.map(({ id }) => id));
    next = page.next;
  } while (next !== null);
  expect(found).toEqual(['7', '5', '3', '1']);
  expect(await get('/v1/incidents?after=x')).toMatchObject({ status: 400, body: { code: 'invalid-cursor' } });
});

test('shows one with writes and digests by region, and its records in conflict', async () => {
  const { store, get } = await site([{ ...ended(both), endedAtMs: null, digests: null }]);
  store.note(us, [{ collection: 'products', key: 'lamp', fields: 2 }]);
  expect(await get('/v1/incidents/1')).toMatchObject({
    status: 200,
    body: {
      durationSeconds: 60,
      endedAt: null,
      writes: { eu: 3, us: 2 },
      conflictCount: 1,
      conflicts: [{ collection: 'products', key: 'lamp', fields: 2 }],
      conflictsTruncated: false,
      digests: null,
    },
  });
  const closed = await site([ended(both)]);
  expect(await closed.get('/v1/incidents/1')).toMatchObject({
    body: { durationSeconds: 30, digests: { products: { eu: 'd', us: 'd' } } },
  });
  for (const id of ['2', '0', 'x', '1e3']) expect((await get(`/v1/incidents/${id}`)).status).toBe(404);
});

test('the id of a dead letter leads back to its place, and nothing else is one', () => {
  const place = {
    origin: us,
    incarnation: { counter: 4294967295, nonce: 255 },
    partition: 7,
    lsn: 0xffff_ffff_ffffn,
    index: 3,
  };
  const id = formatDeadLetterId(place);
  expect(id).toBe('us.4294967295.000000ff.7.ffffffffffff.3');
  expect(parseDeadLetterId(id)).toEqual(place);
  const refused = { ...place, index: -2 };
  expect(parseDeadLetterId(formatDeadLetterId(refused))).toEqual(refused);
  for (const wrong of ['', 'us', `${id}.0`, id.replace('us', '-us'), id.replace('ff.', 'FG.')])
    expect(parseDeadLetterId(wrong)).toBeNull();
});
