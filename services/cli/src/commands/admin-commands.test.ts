/** Commands that ask the admin listener of a region, against one that is made up. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { CliError } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { deadLetters } from './dead-letters.ts';
import { digest } from './digest.ts';
import { drain } from './drain.ts';
import { incidents } from './incidents.ts';
import { record } from './record.ts';
import { region } from './region.ts';
import { sweep } from './sweep.ts';

let server: Server;
let admin = '';
let asked: string[] = [];
let answer: (asked: string) => {
  readonly status?: number;
  readonly body: unknown;
  readonly afterMs?: number;
};

beforeAll(async () => {
  server = createServer((request, response) => respond(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server has a port');
  admin = `http://127.0.0.1:${address.port}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  asked = [];
});

function respond(request: IncomingMessage, response: ServerResponse): void {
  const one = `${request.method ?? ''} ${request.url ?? ''}`;
  asked.push(one);
  const { status = 200, body, afterMs = 0 } = answer(one);
  const send = () =>
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
  if (afterMs === 0) send();
  else setTimeout(send, afterMs);
}

async function run(command: Command, ...args: readonly string[]) {
  let out = '';
  let note = '';
  const io: CommandIo = {
    out: (text) => {
      out += text;
    },
    note: (text) => {
      note += text;
    },
    progress: () => undefined,
    api: '',
    admin: '',
    demo: '',
    readDemos: () => Promise.resolve([]),
    readInput: () => Promise.resolve(''),
    interrupted: new AbortController().signal,
  };
  try {
    return { code: await command.run([...args, '--admin', admin], io), out, note };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { code: error.exitCode, out, note: error.message };
  }
}

const incident = {
  id: '7',
  peer: 'us',
  state: 'healing',
  splitBrain: null,
  startedAt: '2026-01-01T00:00:00.000Z',
  declaredAt: '2026-01-01T00:00:05.000Z',
  healedAt: null,
  endedAt: null,
  durationSeconds: 12.34,
  writes: { eu: 8, us: null },
  conflictCount: 25,
};
const conflicts = Array.from({ length: 25 }, (_, index) => ({
  collection: 'products',
  key: `k${index}\u001b`,
  fields: 1,
}));

test('lists all pages, and says unknown for what is not known', async () => {
  answer = (one) =>
    one.includes('after=5')
      ? { body: { incidents: [{ ...incident, id: '4' }], next: null } }
      : { body: { incidents: [incident], next: '5' } };
  const { code, out, note } = await run(incidents);
  expect(code).toBe(0);
  expect(asked).toEqual(['GET /v1/incidents', 'GET /v1/incidents?after=5']);
  expect(out).toMatch(/7 +us +healing +2026-01-01T00:00:00.000Z +12\.3 +eu 8, us unknown +25/);
  expect(note).toContain('2 incidents');
  const json = await run(incidents, 'list', '--windows', '--json');
  expect(JSON.parse(json.out)).toEqual({ incidents: [incident, { ...incident, id: '4' }] });
  expect(asked).toContain('GET /v1/incidents?include=windows&after=5');
});

test('shows one with its records in conflict and its digests, and lets nothing unprintable through', async () => {
  const digests = { products: { eu: 'd1', us: 'd1' } };
  answer = () => ({ body: { ...incident, conflicts, digests } });
  const { code, out } = await run(incidents, 'show', '7');
  expect(code).toBe(0);
  expect(out).toContain('products/k0\\u{1b}');
  expect(out).not.toContain('\u001b');
  expect(out).toContain('and 5 more');
  expect(out).toMatch(/ended +not yet/);
  expect(out).toMatch(/products +eu d1 +us d1/);
});

test('what does not exist is an answer of no, and a strange word wrong usage', async () => {
  answer = () => ({ status: 404, body: { code: 'not-found', detail: 'no such incident' } });
  expect(await run(incidents, 'show', '9')).toMatchObject({ code: 1 });
  expect(await run(incidents, 'heal')).toMatchObject({ code: 2 });
  expect(await run(deadLetters, 'drop')).toMatchObject({ code: 2 });
});

const letter = {
  id: 'eu.1.000000ff.3.1a2b.0',
  origin: 'eu',
  collection: 'products',
  key: 'lamp',
  cause: 'clock-too-far-ahead',
  detail: 'stamp lies ahead',
  openedAt: '2026-01-01T00:00:00.000Z',
};

test('lists dead letters, and a retry that is refused again is an answer of no', async () => {
  answer = () => ({ body: { deadLetters: [letter], next: null } });
  expect((await run(deadLetters)).out).toMatch(/eu\.1\.000000ff\.3\.1a2b\.0 +products\/lamp +clock-too-far/);
  answer = () => ({
    body: { id: letter.id, outcome: 'kept', cause: 'clock-too-far-ahead', detail: 'still' },
  });
  const kept = await run(deadLetters, 'retry', letter.id);
  expect(kept).toMatchObject({ code: 1, out: 'kept, clock-too-far-ahead: still\n' });
  answer = () => ({ body: { id: letter.id, outcome: 'applied' } });
  const dry = await run(deadLetters, 'retry', letter.id, '--dry-run');
  expect(dry).toMatchObject({ code: 0, out: 'would be applied\n' });
  expect(asked.slice(1)).toEqual([
    `POST /v1/dead-letters/${letter.id}/retry`,
    `POST /v1/dead-letters/${letter.id}/retry?dryRun=true`,
  ]);
});

test('gives a dead letter up for a reason, and says where it could be tried again instead', async () => {
  answer = () => ({ status: 202, body: { id: letter.id, dryRun: false, outcome: 'waiting' } });
  const waiting = await run(deadLetters, 'discard', letter.id, '--reason', 'a bug in 1.2');
  expect(waiting).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^given up; it is closed once a transfer/),
  });
  answer = () => ({ body: { id: letter.id, dryRun: true, outcome: 'lost' } });
  const dry = await run(deadLetters, 'discard', letter.id, '--reason', 'x', '--accept-loss', '--dry-run');
  expect(dry).toMatchObject({ code: 0, out: 'would be closed; what it carried may be missing here\n' });
  answer = () => ({ body: { id: letter.id, dryRun: false, outcome: 'applicable' } });
  expect(await run(deadLetters, 'discard', letter.id, '--reason', 'x')).toMatchObject({ code: 1 });
  expect(await run(deadLetters, 'discard', letter.id)).toMatchObject({ code: 2 });
  expect(asked).toEqual([
    `POST /v1/dead-letters/${letter.id}/discard?dryRun=false&acceptLoss=false`,
    `POST /v1/dead-letters/${letter.id}/discard?dryRun=true&acceptLoss=true`,
    `POST /v1/dead-letters/${letter.id}/discard?dryRun=false&acceptLoss=false`,
  ]);
});

const drained = (hasAll: boolean) => ({
  region: 'eu',
  actor: 'eu.1.00000000',
  waitsFor: ['it is drained'],
  drained: { beat: 5, peers: [{ region: 'us', hasAll }] },
  refill: null,
});
const away = { status: 503, body: { code: 'database-unavailable', detail: 'away' } };

test('a drain waits on where the region does not answer for a moment', async () => {
  const answers = [away, { body: drained(false) }, away, { body: drained(false) }, { body: drained(true) }];
  answer = () => answers.shift() ?? expect.fail('it is asked on');
  expect((await run(region, 'drain')).code).toBe(0);
  expect(asked.map((one) => one.split('?')[0])).toEqual([
    'POST /v1/region/drain',
    'POST /v1/region/drain',
    'GET /v1/region',
    'GET /v1/region',
    'GET /v1/region',
  ]);
});

test('what a region refuses for good is told at once', async () => {
  answer = () => ({ status: 409, body: { code: 'conflict', detail: 'not now' } });
  expect(await run(region, 'drain')).toMatchObject({ code: 1, note: 'conflict: not now' });
  expect(asked).toHaveLength(1);
});

test('asks for a sweep of one peer or of all, and in a dry run for none', async () => {
  answer = () => ({ status: 202, body: { dryRun: false, peers: ['ap', 'us'] } });
  const all = await run(sweep);
  expect(all).toMatchObject({ code: 0, note: expect.stringContaining('verifiedThrough') });
  expect(all.out).toMatch(/\nhttp:.* +ap, us\n$/);
  const dry = await run(sweep, 'us', '--dry-run', '--json');
  const regions = [{ region: admin, peers: ['ap', 'us'] }];
  expect([JSON.parse(dry.out), dry.note]).toEqual([{ dryRun: true, regions }, 'Nothing was asked for\n']);
  expect(asked).toEqual(['POST /v1/sweep?dryRun=false', 'POST /v1/sweep?dryRun=true&peer=us']);
  answer = () => ({ status: 422, body: { code: 'invalid-value', detail: 'takes us' } });
  expect(await run(sweep, 'mars')).toMatchObject({ code: 1, note: 'invalid-value: takes us' });
  expect(await run(sweep, 'us', 'ap')).toMatchObject({ code: 2 });
});

test('shows a record as it is stored', async () => {
  const stored = { collection: 'products', key: 'a/b', bytes: 9, partition: 3, positions: [] };
  answer = () => ({ body: stored });
  const shown = await run(record, 'products', 'a/b', '--json');
  expect([shown.code, JSON.parse(shown.out)]).toEqual([0, stored]);
  expect((await run(record, 'products', 'a/b')).out).toContain('\n  "bytes": 9,\n');
  expect(asked[0]).toBe('GET /v1/records/products/a%2Fb');
  answer = () => ({ status: 404, body: { code: 'not-found', detail: 'Nothing is stored under this key.' } });
  expect(await run(record, 'products', 'b')).toMatchObject({ code: 1 });
  expect(await run(record, 'products')).toMatchObject({ code: 2 });
});

test('drains the one process that is named, and in a dry run says whether it is ready', async () => {
  let status = 200;
  answer = (one) =>
    one.startsWith('GET') ? { status, body: '' } : { status: 202, body: { draining: true } };
  const dry = await run(drain, '--dry-run', '--json');
  expect([dry.code, JSON.parse(dry.out)]).toEqual([0, { dryRun: true, wasReady: true, draining: false }]);
  expect(await run(drain)).toMatchObject({ code: 0, out: 'drains; it was ready\n' });
  status = 503;
  expect(await run(drain)).toMatchObject({ code: 0, out: 'drains; it was not ready before\n' });
  expect(asked).toEqual(['GET /readyz', ...[1, 2].flatMap(() => ['GET /readyz', 'POST /v1/drain'])]);
  expect(await run(drain, '--admin', 'http://127.0.0.1:3')).toMatchObject({
    code: 2,
    note: expect.stringContaining('It acts on one region'),
  });
});

test('counts no more than it has read, where a list has no end', async () => {
  const page = Array.from({ length: 1000 }, () => letter);
  answer = () => ({ body: { deadLetters: page, incidents: page.map(() => incident), next: letter.id } });
  const shown = await run(deadLetters, '--json');
  expect(shown.note).toMatch(/^The first 10000 dead letters; there are more in /);
  expect(JSON.parse(shown.out)).toMatchObject({ truncated: true });
  expect((await run(incidents)).note).toMatch(/^The first 10000 incidents; there are more in /);
});

test('of what is no export nothing is written, and nothing is taken for none', async () => {
  answer = () => ({ body: '<html>another server</html>' });
  for (const options of [['--dry-run'], [join(tmpdir(), 'isthmus-none')]])
    expect(await run(region, 'export', ...options), options[0]).toMatchObject({ code: 2, out: '' });
  answer = () => ({ status: 502, body: '<html>a proxy</html>' });
  expect(await run(region, 'export', '--dry-run')).toMatchObject({ code: 1, note: '502: no reason given' });
});

test('a digest is waited for longer than other answers, because all of a collection is read for it', async () => {
  const limit = AbortSignal.timeout.bind(AbortSignal);
  const quick = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => limit(ms / 100));
  const [afterMs, asOf] = [500, '2026-01-01T00:00:00.000Z'];
  answer = () => ({ body: { digest: '0'.repeat(32), records: 0, asOf }, afterMs });
  try {
    expect(await run(record, 'products', 'a')).toMatchObject({ code: 3 });
    expect(await run(digest, 'products')).toMatchObject({ code: 0 });
  } finally {
    quick.mockRestore();
  }
});

test('an export is waited for longer than fetch waits for a first byte', async () => {
  const overdue = new TypeError('fetch failed', { cause: { code: 'UND_ERR_HEADERS_TIMEOUT' } });
  const impatient = vi.spyOn(globalThis, 'fetch').mockRejectedValue(overdue);
  answer = () => ({ body: { region: 'ap', survivor: 'eu', records: 2, holes: [] }, afterMs: 50 });
  try {
    expect(await run(region, 'export', '--dry-run')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^2 records/),
    });
  } finally {
    impatient.mockRestore();
  }
});

test('a region is retired by nobody where each of those asked is gone itself', async () => {
  answer = () => ({ status: 409, body: { code: 'region-retired', detail: 'eu was retired itself' } });
  expect(await run(region, 'retire', 'us')).toMatchObject({
    code: 1,
    note: expect.stringContaining('Nobody was told'),
  });
});

test('writes down in parts what is too much for one answer of the region', async () => {
  const tooLarge = { status: 409, body: { code: 'export-too-large', detail: 'more than it may hold' } };
  const head = { region: 'ap', survivor: 'eu', records: 1, holes: ['partition 3'] };
  const lines = [{ kind: 'export', version: 1, ...head }, { kind: 'row' }, { kind: 'end', records: 1 }];
  const whole = { body: lines.map((line) => JSON.stringify(line)).join('\n') };
  const isLargest = (one: string) => !one.includes('%2F4');
  answer = (one) => (one.includes('part=1%2F2') || !isLargest(one) ? whole : tooLarge);
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-parts-'));
  const { code, out } = await run(region, 'export', join(folder, 'lost'), '--json');
  const names = [1, 2, 3, 4].map((number) => `lost.${number}-of-4`);
  expect(readdirSync(folder).toSorted(), 'nothing is left of an attempt before').toEqual(names);
  rmSync(folder, { recursive: true });
  expect(code, 'a hole is an answer of no').toBe(1);
  expect(JSON.parse(out)).toMatchObject({ records: 4, holes: ['partition 3'], file: null });
  answer = (one) => (isLargest(one) ? tooLarge : { body: head });
  expect((await run(region, 'export', '--dry-run')).out).toMatch(/^4 records .*\nmissing: partition 3\n$/);
  answer = () => tooLarge;
  expect(await run(region, 'export', '--dry-run')).toMatchObject({
    code: 1,
    note: 'export-too-large: more than it may hold',
  });
});
