/** The command against an admin listener that is made up, so that pages, refusals and hostile text can be chosen. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CliError, type ExitCode } from '../remote/cli-error.ts';
import type { CommandIo } from '../remote/command.ts';
import { conflicts } from './conflicts.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
}

interface Reply {
  readonly status?: number;
  readonly body: unknown;
}

let server: Server;
let admin = '';
let asked: Asked[] = [];
let answer: (request: Asked) => Reply;

beforeAll(async () => {
  server = createServer((request, response) => void respond(request, response));
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
  answer = () => ({ body: { conflicts: [], next: null, scanned: 0 } });
});

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = request.method === 'POST' ? await json(request) : null;
  const one = { method: request.method ?? '', url: request.url ?? '', body };
  asked.push(one);
  const { status = 200, body: answered } = answer(one);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answered));
}

interface Run {
  readonly code: ExitCode;
  readonly out: string;
  readonly note: string;
  readonly error: string;
  readonly shown: readonly string[];
}

async function run(args: readonly string[], io: Partial<CommandIo> = {}): Promise<Run> {
  let out = '';
  let note = '';
  const shown: string[] = [];
  const base: CommandIo = {
    out: (text) => {
      out += text;
    },
    note: (text) => {
      note += text;
    },
    progress: (text) => {
      shown.push(text);
    },
    api: '',
    admin,
    demo: '',
    readDemos: () => Promise.resolve([]),
    readInput: () => Promise.resolve(''),
    interrupted: new AbortController().signal,
  };
  try {
    const code = await conflicts.run(args, { ...base, ...io });
    return { code, out, note, error: '', shown };
  } catch (error) {
    if (error instanceof CliError) return { code: error.exitCode, out, note, error: error.message, shown };
    throw error;
  }
}

const conflict = (key: string, value: unknown = 'sold') => ({
  id: `id-${key}`,
  collection: 'products',
  key,
  field: 'status',
  resolution: 'siblings',
  version: 'v',
  siblings: [
    {
      value: 'reserved',
      at: '2026-01-01T00:00:01.000Z',
      region: 'us',
      actor: 'us.1.00000001',
      shown: true,
      why: 'it is later by 1000 ms',
    },
    {
      value,
      at: '2026-01-01T00:00:00.000Z',
      region: 'eu',
      actor: 'eu.1.00000002',
      shown: false,
      why: 'concurrent with what us.1.00000001 wrote',
    },
  ],
});

/** Three pages: a full one, one without a conflict, and the last. */
const pages = ({ url }: Asked): Reply => {
  const after = new URL(url, admin).searchParams.get('after');
  if (after === null) return { body: { conflicts: [conflict('a'), conflict('b')], next: 'p/1', scanned: 7 } };
  if (after === 'p/1') return { body: { conflicts: [], next: 'p+2', scanned: 10_000 } };
  return { body: { conflicts: [conflict('c')], next: null, scanned: 1 } };
};

describe('list', () => {
  it.each([[], ['--json']])('is what is done without a word, %j', async (...args) => {
    answer = pages;
    const listed = await run(args);
    expect(listed).toMatchObject({ code: 0, out: (await run(['list', ...args])).out });
    expect(listed.out).toContain('reserved');
  });

  it('names the records that the region is too old to read', async () => {
    const unreadable = [
      {
        collection: 'products',
        key: 'b',
        version: 'v',
        unreadable: { code: 'newer-format', format: '1.1', supported: '1.0' },
      },
    ];
    answer = () => ({ body: { conflicts: [conflict('a')], unreadable, next: null, scanned: 2 } });
    for (const args of [['list'], ['list', '--json']]) {
      const { code, note, out } = await run(args);
      expect(code).toBe(0);
      expect(note).toContain('products/b needs format 1.1, this region knows 1.0: upgrade it');
      if (args.includes('--json')) expect(JSON.parse(out)).toMatchObject({ unreadable, scanned: 2 });
    }
  });

  it('goes through all pages, says who won and why, and shows how far it is', async () => {
    answer = pages;
    const listed = await run(['list', 'products']);
    expect(listed).toMatchObject({
      code: 0,
      note: `3 conflicts in 10008 records of ${admin}\n`,
      shown: [
        '',
        '2 conflicts in 7 records, looking on',
        '',
        '2 conflicts in 10007 records, looking on',
        '',
        '3 conflicts in 10008 records, looking on',
        '',
      ],
    });
    expect(listed.out).toContain(
      [
        'products/a status: 2 values, none of which saw the others',
        '  id id-a',
        '  shown   us  2026-01-01T00:00:01.000Z  "reserved"  it is later by 1000 ms',
        '  hidden  eu  2026-01-01T00:00:00.000Z  "sold"      concurrent with what us.1.00000001 wrote',
        '',
      ].join('\n'),
    );
    expect(asked.map(({ url }) => url)).toEqual([
      '/v1/conflicts?collection=products',
      '/v1/conflicts?collection=products&after=p%2F1',
      '/v1/conflicts?collection=products&after=p%2B2',
    ]);
  });

  it('prints one line of JSON', async () => {
    answer = pages;
    const { out } = await run(['list', '--json']);
    expect(out).toMatch(/^[^\n]*\n$/);
    expect(JSON.parse(out)).toEqual({
      conflicts: ['a', 'b', 'c'].map((key) => conflict(key)),
      scanned: 10_008,
    });
    answer = () => ({ body: { conflicts: [], next: null, scanned: 0 } });
    expect(JSON.parse((await run(['list', '--json'])).out)).toEqual({ conflicts: [], scanned: 0 });
  });

  it('holds one page at a time', async () => {
    answer = pages;
    const seen: number[] = [];
    await run(['list'], { out: (text) => void (text.includes('id-') && seen.push(asked.length)) });
    expect(seen).toEqual([1, 1, 3]);
  });

  it('asks for one key', async () => {
    expect(await run(['list', 'products', '--key', 'a/b&c'])).toMatchObject({
      code: 0,
      out: '',
      note: `0 conflicts in 0 records of ${admin}\n`,
    });
    expect(asked.map(({ url }) => url)).toEqual(['/v1/conflicts?collection=products&key=a%2Fb%26c']);
  });

  it('stops where it is interrupted, and says that there is more', async () => {
    answer = pages;
    const controller = new AbortController();
    const stopped = await run(['list'], {
      interrupted: controller.signal,
      progress: () => controller.abort(),
    });
    expect(stopped).toMatchObject({ code: 1, error: expect.stringMatching(/not all/) });
    expect(asked).toHaveLength(1);
  });

  it('lets no character of a stranger work on the terminal', async () => {
    const evil = conflict('k\u202e', '\u009b2J\u001b[2J\u2028');
    answer = () => ({ body: { conflicts: [evil], next: null, scanned: 1 } });
    for (const args of [['list'], ['show', 'products/k']]) {
      const { out } = await run(args);
      expect(out).not.toMatch(/[^\P{C}\n]|\u2028/u);
      expect(out).toContain('products/k\\u{202e} status');
    }
  });

  it('cuts long values and shows them in full', async () => {
    answer = () => ({ body: { conflicts: [conflict('k', 'x'.repeat(500))], next: null, scanned: 1 } });
    expect((await run(['list'])).out).not.toContain('x'.repeat(61));
    expect((await run(['show', 'products/k'])).out).toContain('x'.repeat(500));
  });
});

describe('show', () => {
  it('takes an id, and says how to show what is hidden', async () => {
    answer = () => ({ body: conflict('a') });
    const shown = await run(['show', 'id-a']);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(
      /\n {2}to show "sold": isthmus conflicts restore id-a --actor eu\.1\.00000002\n$/,
    );
    expect(asked.map(({ url }) => url)).toEqual(['/v1/conflicts/id-a']);
    const regions = [{ region: 'us', api: '', admin }];
    const inDemo = { admin: '', readDemos: async () => [{ pid: 7, startedAtMs: 0, regions, control: '' }] };
    expect((await run(['show', 'id-a'], inDemo)).out).toMatch(/ --actor eu\.1\.00000002 --in us\n$/);
    asked.pop();
    expect(JSON.parse((await run(['show', 'id-a', '--json'])).out)).toEqual({ conflicts: [conflict('a')] });
  });

  it('takes a record, whose key may have slashes', async () => {
    answer = () => ({ body: { conflicts: [conflict('a/b')], next: null, scanned: 1 } });
    expect((await run(['show', 'products/a/b'])).code).toBe(0);
    expect(asked.map(({ url }) => url)).toEqual(['/v1/conflicts?collection=products&key=a%2Fb']);
  });

  it('says no where there is none', async () => {
    expect(await run(['show', 'products/a'])).toMatchObject({
      code: 1,
      error: `No conflict in "products/a" of ${admin}`,
    });
    answer = () => ({ status: 404, body: { code: 'not-found', detail: 'It has ended.', instance: 'r1' } });
    expect(await run(['show', 'id-a'])).toMatchObject({
      code: 1,
      error: 'not-found: It has ended. (request r1)',
    });
  });
});

describe('restore', () => {
  const record = { collection: 'products', key: 'a', value: { status: 'sold' }, conflicts: [] };

  it.each<[readonly string[], string, object]>([
    [[], '', {}],
    [['--actor', 'eu.1.00000002'], '', { actor: 'eu.1.00000002' }],
    [['--region', 'eu'], '', { region: 'eu' }],
    [['--region', 'eu', '--dry-run'], '?dryRun=true', { region: 'eu' }],
  ])('with %j asks the region for it', async (args, query, body) => {
    answer = () => ({ body: record });
    const restored = await run(['restore', 'id-a', ...args, '--json']);
    expect(restored).toMatchObject({ code: 0, out: `${JSON.stringify(record)}\n` });
    expect(restored.note).toBe(`${query === '' ? 'Done' : 'Nothing was done'} in ${admin}\n`);
    expect(asked).toEqual([{ method: 'POST', url: `/v1/conflicts/id-a/restore${query}`, body }]);
  });

  it('is told in which region of the demo to write', async () => {
    answer = () => ({ body: record });
    const regions = ['eu', 'us'].map((region) => ({ region, api: '', admin: region === 'us' ? admin : '' }));
    const demo = { pid: 7, startedAtMs: 0, regions, control: '' };
    const io = { admin: '', readDemos: () => Promise.resolve([demo]) };
    expect(await run(['restore', 'id-a', '--region', 'eu', '--in', 'us'], io)).toMatchObject({
      code: 0,
      note: `Done in region us of demo 7 (${admin})\n`,
    });
    expect(asked).toMatchObject([{ body: { region: 'eu' } }]);
  });

  it('says no with the reason of the region', async () => {
    answer = () => ({ status: 422, body: { code: 'invalid-value', detail: '2 values are meant.' } });
    expect(await run(['restore', 'id-a'])).toMatchObject({
      code: 1,
      out: '',
      error: 'invalid-value: 2 values are meant.',
    });
  });
});

it.each([
  [[''], 2, /"" is not one of list, show, restore\nusage: isthmus conflicts/],
  [['lst'], 2, /"lst" is not one of/],
  [['list', 'a', 'b'], 2, /2 arguments, 1 wanted/],
  [['list', '--key', 'a'], 2, /--key needs a COLLECTION/],
  [['list', '--colour'], 2, /--colour/],
  [['show'], 2, /0 arguments, 1 wanted/],
  [['restore'], 2, /0 arguments, 1 wanted/],
  [['restore', 'x', '--actor', 'a', '--region', 'b'], 2, /name one of them/],
  [['list', '--admin', '127.0.0.1:3'], 3, /127\.0\.0\.1:3 cannot be reached: ECONNREFUSED/],
  [['restore', 'x', '--admin', '127.0.0.1:3'], 3, /cannot be reached/],
])('%j ends with %i', async (args, code, message) => {
  expect(await run(args)).toMatchObject({ code, out: '', error: expect.stringMatching(message) });
  expect(asked).toEqual([]);
});

it('knows an address that is no admin address', async () => {
  answer = () => ({ body: { records: [] } });
  expect(await run(['list', '--json'])).toMatchObject({ code: 2, out: '' });
});
