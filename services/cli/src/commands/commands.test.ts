/** The commands against two real regions that know nothing of each other. */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { type RegionProcess, prepareRegionProcess } from '@isthmus/local/region-process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliError, type ExitCode } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import type { Demo } from '../remote/demo-choice.ts';
import { conflicts } from './conflicts.ts';
import { deadLetters } from './dead-letters.ts';
import { deleteRecord } from './delete.ts';
import { digest } from './digest.ts';
import { drain } from './drain.ts';
import { get } from './get.ts';
import { identity } from './identity.ts';
import { links } from './links.ts';
import { patch } from './patch.ts';
import { put } from './put.ts';
import { record } from './record.ts';
import { region } from './region.ts';
import { rights } from './rights.ts';
import { status } from './status.ts';
import { sweep } from './sweep.ts';
import { transfer } from './transfer.ts';

const servers: Postgres[] = [];
const regions: RegionProcess[] = [];
let demo: Demo;

beforeAll(async () => {
  for (const name of ['eu', 'us']) {
    const postgres = await startPostgres();
    servers.push(postgres);
    const prepared = await prepareRegionProcess({ region: name, database: postgres.url, peers: [] });
    regions.push(await prepared.start());
  }
  demo = {
    pid: 41,
    startedAtMs: 0,
    regions: regions.map(({ api, admin }, index) => ({ region: index === 0 ? 'eu' : 'us', api, admin })),
    control: 'http://127.0.0.1:3',
  };
}, 150_000);
afterAll(async () => {
  for (const server of [...regions, ...servers]) await server.stop();
});

interface Run {
  readonly code: ExitCode;
  readonly out: string;
  readonly note: string;
  readonly error: string;
}

async function run(command: Command, args: readonly string[], io: Partial<CommandIo> = {}): Promise<Run> {
  let out = '';
  let note = '';
  const base: CommandIo = {
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
    readDemos: () => Promise.resolve([demo]),
    readInput: () => Promise.resolve(''),
    interrupted: new AbortController().signal,
  };
  try {
    const code = await command.run(args, { ...base, ...io });
    return { code, out, note, error: '' };
  } catch (error) {
    if (error instanceof CliError) return { code: error.exitCode, out, note, error: error.message };
    throw error;
  }
}

const json = (text: string): unknown => JSON.parse(text);
const inEu = ['--region', 'eu'];
const noDemo = { readDemos: () => Promise.resolve([]) };

describe('records', () => {
  it('are put, read, patched and deleted in the region named', async () => {
    const written = await run(put, ['products', 'a/b', '{"title":"x"}', ...inEu, '--json']);
    expect(json(written.out)).toMatchObject({ key: 'a/b', value: { title: 'x', likes: 0 } });
    expect((await run(get, ['products', 'a/b', '--region', 'us'])).code).toBe(1);
    const patched = await run(patch, ['products', 'a/b', '-', ...inEu], {
      readInput: () => Promise.resolve('{"increment":{"likes":2}}'),
    });
    expect(json(patched.out)).toMatchObject({ value: { title: 'x', likes: 2 } });
    expect(json((await run(get, ['products', 'a/b', '--siblings'])).out)).toMatchObject({
      value: { likes: 2 },
    });
    expect(await run(deleteRecord, ['products', 'a/b', ...inEu, '--json'])).toMatchObject({
      code: 0,
      out: '{"deleted":true}\n',
    });
    expect(await run(get, ['products', 'a/b'])).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^not-found: /),
    });
  });

  it('are left alone by a dry run, which shows the request and what is there', async () => {
    await run(put, ['products', 'dry', '{"title":"x"}', ...inEu]);
    for (const [command, rest] of [
      [put, ['{"title":"y"}']],
      [patch, ['{"set":{"title":"y"}}']],
      [deleteRecord, []],
    ] as const) {
      const dry = await run(command, ['products', 'dry', ...rest, ...inEu, '--dry-run', '--json']);
      expect(json(dry.out)).toMatchObject({
        dryRun: true,
        request: { method: command.name.toUpperCase() },
        current: { value: { title: 'x' } },
      });
    }
    expect(json((await run(get, ['products', 'dry'])).out)).toMatchObject({ value: { title: 'x' } });
  });

  it('are shown as they are stored, also once they are deleted', async () => {
    await run(put, ['products', 'raw', '{"title":"x"}', ...inEu]);
    await run(deleteRecord, ['products', 'raw', ...inEu]);
    const raw = await run(record, ['products', 'raw', '--json']);
    expect(json(raw.out)).toMatchObject({ key: 'raw', state: { format: expect.any(String) }, positions: [] });
    expect(await run(record, ['products', 'raw', '--region', 'us'])).toMatchObject({ code: 1 });
  });

  it('are refused with the reason of the region', async () => {
    const refused = await run(put, ['products', 'a', '{"titel":"x"}', ...inEu]);
    expect(refused).toMatchObject({
      code: 1,
      error: expect.stringMatching(/unknown-field: .*Did you mean title\?.*request/),
    });
  });
});

describe('addresses', () => {
  it('come from the command line before the environment before the demo', async () => {
    const [eu, us] = demo.regions;
    await run(put, ['products', 'where', '{"title":"us"}'], { api: us?.api ?? '' });
    expect((await run(get, ['products', 'where'])).code).toBe(1);
    expect((await run(get, ['products', 'where'], { api: us?.api ?? '' })).code).toBe(0);
    expect((await run(get, ['products', 'where', '--api', eu?.api ?? ''], { api: us?.api ?? '' })).code).toBe(
      1,
    );
  });

  it.each<[string, readonly string[], Partial<CommandIo>, ExitCode, RegExp]>([
    ['none', ['products', 'a'], noDemo, 2, /--api http:\/\/host:port or ISTHMUS_API, or start a demo/],
    ['an unknown region', ['products', 'a', '--region', 'mars'], {}, 2, /no region "mars"; it has eu, us/],
    ['no address', ['products', 'a', '--api', 'http://'], {}, 2, /is not an address/],
    [
      'nobody there',
      ['products', 'a', '--api', '127.0.0.1:3'],
      {},
      3,
      /127\.0\.0\.1:3 cannot be reached: ECONNREFUSED/,
    ],
    ['too few words', ['products'], {}, 2, /1 arguments, 2 wanted\nusage: isthmus get/],
    ['an unknown option', ['products', 'a', '--colour'], {}, 2, /--colour/],
  ])('%s: says what to do', async (_name, args, io, code, message) => {
    expect(await run(get, args, io)).toMatchObject({ code, error: expect.stringMatching(message) });
  });

  it('that decide are not overruled by a region that is named, nor is that passed over', async () => {
    const [eu] = demo.regions;
    const there = { api: eu?.api ?? '', admin: eu?.admin ?? '' };
    for (const [command, args] of [
      [put, ['products', 'elsewhere', '{}']],
      [record, ['products', 'elsewhere']],
      [digest, ['products']],
    ] as const) {
      const refused = await run(command, [...args, '--region', 'us'], there);
      expect(refused).toMatchObject({ code: 2, error: expect.stringMatching(/^ISTHMUS_(API|ADMIN) says/) });
      const chosen = await run(command, [...args, '--region', 'us', '--demo', '41'], there);
      expect(chosen.code, 'the demo is named too').not.toBe(2);
    }
    const twice = await run(get, ['products', 'elsewhere', '--api', there.api, '--region', 'us']);
    expect(twice).toMatchObject({ code: 2, error: expect.stringMatching(/^--api says/) });
    expect((await run(get, ['products', 'elsewhere'])).code, 'nothing was written').toBe(1);
  });

  it.each<[Command, readonly string[]]>([
    [region, ['drain']],
    [region, ['join']],
    [region, ['refill']],
    [region, ['export', '--dry-run']],
    [identity, ['renew']],
    [identity, ['accept']],
    [rights, ['claim', 'products', 'guessed', 'stock']],
    [deadLetters, ['retry', 'eu.1.000000ff.3.1a2b.0']],
    [deadLetters, ['discard', 'eu.1.000000ff.3.1a2b.0', '--reason', 'x']],
    [conflicts, ['restore', 'id']],
    [drain, []],
  ])('of several regions are never guessed for $name %j', async (command, args) => {
    const option = command === conflicts ? '--in NAME' : '--region NAME';
    expect(await run(command, args)).toMatchObject({
      code: 2,
      out: '',
      error: expect.stringContaining(`eu, us are meant; name one with ${option}`),
    });
    const two = ['http://127.0.0.1:3', 'http://127.0.0.1:4'].flatMap((url) => ['--admin', url]);
    expect(await run(command, [...args, ...two])).toMatchObject({
      code: 2,
      error: expect.stringContaining('name one with --admin, once'),
    });
  });

  it('that were not named are told by whoever reads there', async () => {
    await run(put, ['products', 'told', '{}', ...inEu]);
    for (const command of [get, record])
      expect((await run(command, ['products', 'told'])).note).toMatch(/^Read in region eu of demo 41 /);
  });

  it('of another kind of JSON are wrong usage', async () => {
    expect(await run(put, ['products', 'a', '{x}'])).toMatchObject({
      code: 2,
      error: expect.stringMatching(/Not JSON/),
    });
  });
});

describe('several demos', () => {
  const other: Demo = { pid: 42, startedAtMs: 1000, regions: [], control: 'http://127.0.0.1:4' };
  const two = { readDemos: () => Promise.resolve([other, demo]) };
  const list =
    /2 demos run; .*--demo PID or ISTHMUS_DEMO=PID:\n +42 .*\n +41 +eu,us +started 1970-01-01T00:00:00/;

  it.each<[Command, readonly string[]]>([
    [put, ['products', 'a', '{}']],
    [patch, ['products', 'a', '{}']],
    [deleteRecord, ['products', 'a']],
    [get, ['products', 'a']],
    [status, []],
    [digest, ['products']],
    [links, []],
  ])('need a choice in $name', async (command, args) => {
    expect(await run(command, args, two)).toMatchObject({ code: 2, error: expect.stringMatching(list) });
    expect(await run(command, [...args, '--demo', '7'], two)).toMatchObject({
      code: 2,
      error: expect.stringMatching(/--demo takes .*"7" is none\. Running:\n +42/),
    });
  });

  it('are told apart by the option before the environment, and a write says where it went', async () => {
    const written = await run(put, ['products', 'choice', '{}', ...inEu, '--demo', '41'], {
      ...two,
      demo: '42',
    });
    expect(written.note).toBe(`Done in region eu of demo 41 (${demo.regions[0]?.api})\n`);
    const args = ['products', 'choice', '--dry-run', ...inEu];
    const api = 'http://127.0.0.1:3';
    expect((await run(deleteRecord, args, { ...two, demo: '41' })).note).toMatch(/region eu of demo 41/);
    expect((await run(deleteRecord, [...args, '--demo', '41'], { ...two, api })).code).toBe(0);
    expect((await run(deleteRecord, [...args, '--demo', '41', '--api', api], two)).code).toBe(2);
    expect(await run(links, ['heal', '--dry-run'], { ...two, demo: '41' })).toMatchObject({
      code: 0,
      note: expect.stringContaining('Links of demo 41'),
    });
    expect((await run(links, [], { ...noDemo, demo: '41' })).error).toMatch(/^ISTHMUS_DEMO takes/);
  });
});

describe('transfer', () => {
  it('has nothing to fetch where a region has no peers, and says so of one that it does not know', async () => {
    const fetched = await run(transfer, ['--json']);
    expect([fetched.code, json(fetched.out)]).toEqual([0, { dryRun: false, transfers: [] }]);
    const unknown = await run(transfer, ['--from', 'mars']);
    expect([unknown.code, unknown.error]).toEqual([1, expect.stringContaining('there is no peer')]);
    expect((await run(transfer, ['products'])).code).toBe(2);
    expect((await run(transfer, ['--from', 'us', '--region', 'us'])).error).toContain('No region is left');
    expect((await run(transfer, [], noDemo)).code).toBe(2);
  });
});

describe('sweep', () => {
  it('asks every region of the demo', async () => {
    const swept = await run(sweep, ['--json']);
    const asked = ['eu', 'us'].map((name) => ({ region: name, peers: [] }));
    expect([swept.code, json(swept.out)]).toEqual([0, { dryRun: false, regions: asked }]);
    expect((await run(sweep, ['mars'])).error).toContain('there is no peer');
    expect((await run(sweep, ['us', '--region', 'us'])).error).toContain('No region is left');
  });
});

describe('digest', () => {
  it('takes a dry run only of a repair', async () => {
    expect((await run(digest, ['profiles', '--dry-run'])).code).toBe(2);
  });

  it('says no where regions differ, and yes where they do not', async () => {
    const key = 'only-in-eu';
    await run(put, ['profiles', key, '{"name":"x"}', ...inEu]);
    const different = await run(digest, ['profiles', '--json']);
    expect(different.code).toBe(1);
    expect(json(different.out)).toMatchObject({ equal: false, regions: [{ records: 1 }, { records: 0 }] });
    await run(deleteRecord, ['profiles', key, ...inEu]);
    const equal = await run(digest, ['profiles']);
    expect(equal.code).toBe(0);
    expect(equal.out).toMatch(/^REGION +DIGEST +RECORDS +AS OF\neu +0{32} +0 .*\nus +0{32} +0 .*\nequal\n$/);
  });

  it('claims nothing of one region, and repairs nothing without another', async () => {
    const alone = await run(digest, ['profiles', '--region', 'eu', '--json']);
    expect([alone.code, json(alone.out)]).toMatchObject([0, { equal: null }]);
    const repaired = await run(digest, ['profiles', '--region', 'eu', '--repair']);
    expect(repaired).toMatchObject({ code: 2, error: expect.stringContaining('isthmus transfer') });
  });

  it('knows an address that is no admin address', async () => {
    expect((await run(digest, ['profiles', '--admin', demo.regions[0]?.api ?? ''])).code).toBe(1);
  });
});

describe('status', () => {
  it('shows every region, also one that is not there', async () => {
    const shown = await run(status, []);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/\neu +yes +\(no peers\)\nus +yes +\(no peers\)\n$/);
    const admins = ['--admin', demo.regions[0]?.admin ?? '', '--admin', 'http://127.0.0.1:3'];
    const partial = await run(status, [...admins, '--json']);
    expect(partial.code).toBe(3);
    expect(json(partial.out)).toMatchObject({
      regions: [{ region: 'eu' }, { error: /./ }].map((one) =>
        expect.objectContaining('region' in one ? one : {}),
      ),
    });
    expect((await run(status, ['--admin', 'http://127.0.0.1:3'])).code).toBe(3);
  });

  it('watches until it is interrupted', async () => {
    const controller = new AbortController();
    let draws = 0;
    const watched = run(status, ['--watch'], {
      interrupted: controller.signal,
      out: () => {
        draws += 1;
        if (draws === 2) controller.abort();
      },
    });
    expect((await watched).code).toBe(0);
    expect(draws).toBe(2);
  });
});

describe('links', () => {
  const requests = async (...args: string[]) => {
    const dry = await run(links, [...args, '--dry-run', '--json']);
    return { code: dry.code, error: dry.error, requests: dry.out === '' ? null : json(dry.out) };
  };
  const bodies = (...states: object[]) => ({
    dryRun: true,
    requests: states.map((body) =>
      expect.objectContaining({ method: 'POST', url: 'http://127.0.0.1:3/links', body }),
    ),
  });
  const there = { origin: 'eu', target: 'us' };
  const back = { origin: 'us', target: 'eu' };

  it.each<[readonly string[], object]>([
    [['cut', 'eu', 'us'], bodies({ ...there, state: 'cut' }, { ...back, state: 'cut' })],
    [['one-way', 'us', 'eu'], bodies({ ...back, state: 'cut' })],
    [['hang', 'eu', 'us'], bodies({ ...there, state: 'hang' }, { ...back, state: 'hang' })],
    [
      ['delay', 'eu', 'us', '200'],
      bodies({ ...there, state: 'delay', delayMs: 200 }, { ...back, state: 'delay', delayMs: 200 }),
    ],
    [['heal'], bodies({ ...there, state: 'ok' }, { ...back, state: 'ok' })],
    [['heal', 'us', 'eu'], bodies({ ...there, state: 'ok' }, { ...back, state: 'ok' })],
  ])('%j asks for the states of both directions where both are meant', async (args, expected) => {
    expect((await requests(...args)).requests).toEqual(expected);
  });

  it.each([
    [['break', 'eu', 'us'], /is not one of cut/],
    [['cut', 'eu'], /two different regions/],
    [['cut', 'eu', 'eu'], /two different regions/],
    [['cut', 'eu', 'us', 'ap'], /two different regions/],
    [['cut', 'eu', 'mars'], /no region "mars"/],
    [['delay', 'eu', 'us'], /milliseconds/],
    [['delay', 'eu', 'us', '-1'], /./],
  ])('%j is wrong usage', async (args, message) => {
    expect(await requests(...args)).toMatchObject({ code: 2, error: expect.stringMatching(message) });
  });

  it('need a demo', async () => {
    expect(await run(links, [], noDemo)).toMatchObject({
      code: 2,
      error: expect.stringMatching(/npm run demo/),
    });
    expect((await run(links, [])).code).toBe(3);
  });
});
