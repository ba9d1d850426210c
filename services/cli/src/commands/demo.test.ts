/** The demo as a program: what it prints, what its control address refuses, and that it leaves nothing. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, mkdtemp, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const bin = fileURLToPath(new URL('../../bin/isthmus.js', import.meta.url));
const startTimeoutMs = 120_000;
const endTimeoutMs = 10_000;

const readyShape = z.object({
  ready: z.literal(true),
  readyMs: z.number(),
  regions: z.array(
    z.object({
      region: z.string(),
      api: z.url(),
      admin: z.url(),
      console: z.url(),
      database: z.string().startsWith('postgres://'),
      brokers: z.string(),
    }),
  ),
  control: z.url(),
  log: z.enum(['kafka', 'postgres']),
});

interface Demo {
  readonly child: ChildProcessWithoutNullStreams;
  readonly folder: string;
  readonly output: () => string;
  readonly errors: () => string;
}

/** Starts a demo whose temporary files all lie in a folder of its own. */
async function startDemo(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-demo-test-'));
  await chmod(folder, 0o755);
  const child = spawn(process.execPath, [bin, 'demo', '--json', ...args], {
    env: { ...process.env, TMPDIR: folder, ...environment },
    stdio: 'pipe',
  });
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString();
  });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  return { child, folder, output: () => output, errors: () => errors };
}

async function readyLine({ child }: Demo): Promise<z.infer<typeof readyShape>> {
  const [line] = await once(createInterface(child.stdout), 'line');
  return readyShape.parse(JSON.parse(String(line)));
}

/** Every server works in a folder of its own below the demo's. */
async function processesIn(folder: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(
    pids.map(async (pid) => ({ pid, cwd: await readlink(`/proc/${pid}/cwd`).catch(() => '') })),
  );
  return places.filter(({ cwd }) => cwd.startsWith(folder)).map(({ pid, cwd }) => `${pid} ${cwd}`);
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + endTimeoutMs;
  while (!(await condition())) {
    expect(Date.now(), what).toBeLessThan(deadline);
    await delay(20);
  }
}

async function call(url: string, body?: unknown): Promise<{ status: number; type: string; json: unknown }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', body: text });
  const json: unknown = await response.json();
  return { status: response.status, type: response.headers.get('content-type') ?? '', json };
}

describe.runIf(process.platform === 'linux')('a running demo', () => {
  let demo: Demo;
  let ready: z.infer<typeof readyShape>;

  beforeAll(async () => {
    demo = await startDemo(['--regions', 'eu,us', '--delay', '5']);
    ready = await readyLine(demo);
  }, startTimeoutMs);
  afterAll(async () => {
    demo.child.kill('SIGKILL');
    await until('nothing runs any more', async () => (await processesIn(demo.folder)).length === 0);
    await rm(demo.folder, { recursive: true, force: true });
  });

  const post = (path: string, body: unknown): ReturnType<typeof call> =>
    call(`${ready.control}${path}`, body);

  it('shows the links and their base delay', async () => {
    const { status, json } = await call(`${ready.control}/links`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      links: [
        { origin: 'eu', target: 'us', state: 'ok', delayMs: 5 },
        { origin: 'us', target: 'eu', state: 'ok', delayMs: 5 },
      ],
    });
  });

  it('sets one direction and leaves the other', async () => {
    const link = { origin: 'eu', target: 'us' };
    expect(await post('/links', { ...link, state: 'cut' })).toMatchObject({
      status: 200,
      json: { ...link, state: 'cut' },
    });
    const { json } = await call(`${ready.control}/links`);
    expect(json).toMatchObject({ links: [{ state: 'cut' }, { state: 'ok' }] });
    expect((await post('/links', { ...link, state: 'delay', delayMs: 70 })).json).toMatchObject({
      delayMs: 70,
    });
    expect((await post('/links', { ...link, state: 'hang' })).json).toMatchObject({ state: 'hang' });
    expect((await post('/links', { ...link, state: 'ok' })).json).toMatchObject({ state: 'ok', delayMs: 5 });
  });

  it.each([
    ['no JSON', '/links', '{', 400, 'malformed-json', []],
    ['an array', '/links', [], 422, 'invalid-value', ['']],
    ['nothing', '/links', {}, 422, 'invalid-value', ['origin', 'target', 'state']],
    [
      'an unknown region',
      '/links',
      { origin: 'eu', target: 'xx', state: 'ok' },
      422,
      'invalid-value',
      ['target'],
    ],
    [
      'one region twice',
      '/links',
      { origin: 'eu', target: 'eu', state: 'ok' },
      422,
      'invalid-value',
      ['target'],
    ],
    [
      'an unknown state',
      '/links',
      { origin: 'eu', target: 'us', state: 'x' },
      422,
      'invalid-value',
      ['state'],
    ],
    [
      'a delay of nothing',
      '/links',
      { origin: 'eu', target: 'us', state: 'delay' },
      422,
      'invalid-value',
      ['delayMs'],
    ],
    [
      'a delay below zero',
      '/links',
      { origin: 'eu', target: 'us', state: 'delay', delayMs: -1 },
      422,
      'invalid-value',
      ['delayMs'],
    ],
    [
      'an unknown field',
      '/links',
      { origin: 'eu', target: 'us', state: 'ok', __proto__x: 1 },
      422,
      'invalid-value',
      ['__proto__x'],
    ],
    [
      'an unknown signal',
      '/processes',
      { region: 'eu', process: 'kafka', signal: 'x' },
      422,
      'invalid-value',
      ['signal'],
    ],
    [
      'an unknown process',
      '/processes',
      { region: 'eu', process: 'x', signal: 'start' },
      422,
      'invalid-value',
      ['process'],
    ],
    ['a body too large', '/links', 'x'.repeat(20_000), 413, 'body-too-large', []],
    ['another path', '/nothing', {}, 404, 'not-found', []],
  ] as const)('refuses %s', async (_what, path, body, status, code, fields) => {
    const answer = await call(`${ready.control}${path}`, body);
    expect(answer.type).toMatch(/^application\/problem\+json/);
    expect(answer).toMatchObject({ status, json: { status, code, type: `/problems/${code}` } });
    const problem = z.object({ violations: z.array(z.object({ field: z.string() })) }).parse(answer.json);
    expect(problem.violations.map(({ field }) => field)).toEqual([...fields]);
  });

  it('refuses another method', async () => {
    const response = await fetch(`${ready.control}/processes`, { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(await response.json()).toMatchObject({ code: 'method-not-allowed' });
  });

  it('shows the processes of every region', async () => {
    const { status, json } = await call(`${ready.control}/processes`);
    expect(status).toBe(200);
    const schema = z.object({ processes: z.array(z.looseObject({ pid: z.number() })) });
    const { processes } = schema.parse(json);
    const shown = processes.map(({ pid: _pid, ...rest }) => rest);
    expect(shown).toEqual(
      ['eu', 'us'].flatMap((region) =>
        ['region', 'postgres', 'kafka'].map((process) => ({ region, process, state: 'running' })),
      ),
    );
    for (const { pid } of processes) expect(() => process.kill(pid, 0)).not.toThrow();
  });

  it.each(['https://elsewhere.example', 'null', ''])('does nothing for a page of %j', async (from) => {
    const headers = { origin: from === '' ? ready.control : from, 'content-type': 'text/plain' };
    for (const [path, body] of [
      ['/links', { origin: 'eu', target: 'us', state: 'cut' }],
      ['/processes', { region: 'us', process: 'postgres', signal: 'SIGSTOP' }],
    ] as const) {
      const asked = { method: 'POST', headers, body: JSON.stringify(body) };
      const refused = await fetch(`${ready.control}${path}`, asked);
      expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'cross-origin' }]);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect((await call(`${ready.control}/links`)).json).toMatchObject({ links: [{ state: 'ok' }, {}] });
    expect(
      (await post('/processes', { region: 'us', process: 'postgres', signal: 'SIGCONT' })).json,
    ).toMatchObject({
      state: 'running',
    });
  });

  it('kills and starts a process at its old address', async () => {
    const [eu] = ready.regions;
    const target = { region: 'eu', process: 'region' };
    expect(await post('/processes', { ...target, signal: 'SIGKILL' })).toMatchObject({
      status: 200,
      json: { state: 'ended' },
    });
    await expect(fetch(`${eu?.admin}/readyz`)).rejects.toThrow();
    expect(await post('/processes', { ...target, signal: 'SIGSTOP' })).toMatchObject({
      status: 409,
      json: { code: 'not-running' },
    });
    expect(await post('/processes', { ...target, signal: 'start' })).toMatchObject({
      status: 200,
      json: { state: 'running' },
    });
    expect((await fetch(`${eu?.admin}/readyz`)).status).toBe(200);
  }, 30_000);

  it('pauses a server and lets it go on', async () => {
    const target = { region: 'us', process: 'postgres' };
    const paused = await post('/processes', { ...target, signal: 'SIGSTOP' });
    expect(paused.json).toMatchObject({ state: 'paused' });
    expect(await post('/processes', { ...target, signal: 'start' })).toMatchObject({ status: 409 });
    const running = await post('/processes', { ...target, signal: 'SIGCONT' });
    expect(running.json).toMatchObject({ state: 'running' });
  });

  it('prints one line of JSON and nothing else', () => {
    expect(demo.output().trim().split('\n')).toHaveLength(1);
    expect(ready.regions.map(({ region }) => region)).toEqual(['eu', 'us']);
    expect(ready.readyMs).toBeGreaterThan(0);
  });

  // The last, because nothing is left for another.
  it('leaves nothing after SIGKILL', async () => {
    demo.child.kill('SIGKILL');
    await once(demo.child, 'exit');
    await until('no process is left', async () => (await processesIn(demo.folder)).length === 0);
    await until('no file is left', async () => (await readdir(demo.folder)).length === 0);
  }, 30_000);
});

/** A path on which there is what servers need, and neither Java nor Maven. */
async function pathWithoutJava(folder: string): Promise<string> {
  const path = join(folder, 'programs');
  await mkdir(path);
  for (const name of ['sh', 'cp', 'rm', 'sed', 'ipcrm', 'id', 'useradd']) {
    for (const place of ['/usr/bin', '/bin', '/usr/sbin', '/sbin']) {
      const isThere = await access(join(place, name)).then(
        () => true,
        () => false,
      );
      if (!isThere) continue;
      await symlink(join(place, name), join(path, name));
      break;
    }
  }
  return path;
}

describe.runIf(process.platform === 'linux')('a machine with Node alone', () => {
  let tools: string;
  let withoutJava: Readonly<Record<string, string>>;
  beforeAll(async () => {
    tools = await mkdtemp(join(tmpdir(), 'isthmus-tools-'));
    await chmod(tools, 0o755);
    withoutJava = { PATH: await pathWithoutJava(tools), JAVA_HOME: '' };
  });
  afterAll(() => rm(tools, { recursive: true, force: true }));

  it(
    'runs the demo with its log in Postgres, says so and why, and has no Kafka to strike',
    async () => {
      const demo = await startDemo(['--delay', '5'], withoutJava);
      try {
        const { log, control, regions } = await readyLine(demo);
        expect(log).toBe('postgres');
        expect(demo.errors()).toContain('The log lies in Postgres, because Java is not installed');
        for (const { region, brokers } of regions)
          expect(brokers).toContain(`postgres://isthmus_log_${region}:`);
        const strike = await call(`${control}/processes`, {
          region: 'eu',
          process: 'kafka',
          signal: 'SIGKILL',
        });
        expect(strike).toMatchObject({ status: 409, json: { code: 'no-kafka' } });
        const { json } = await call(`${control}/processes`);
        expect(JSON.stringify(json)).not.toContain('kafka');
        const [eu, us] = regions;
        const record = '/v1/collections/products/records/lamp';
        const put = await fetch(`${eu?.api}${record}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ value: { title: 'Lamp' } }),
        });
        expect(put.status).toBe(201);
        await until('the record is in us', async () => (await fetch(`${us?.api}${record}`)).status === 200);
        const links = z.object({ links: z.array(z.object({ bytesToTarget: z.number() })) });
        const { links: all } = links.parse((await call(`${control}/links`)).json);
        for (const { bytesToTarget } of all) expect(bytesToTarget).toBeGreaterThan(1_000);
      } finally {
        demo.child.kill('SIGTERM');
        await once(demo.child, 'exit', { signal: AbortSignal.timeout(endTimeoutMs) });
        await rm(demo.folder, { recursive: true, force: true });
      }
    },
    startTimeoutMs,
  );

  it('is well by its doctor, which says what Kafka would take', () => {
    const env = { ...process.env, ...withoutJava };
    const ended = spawnSync(process.execPath, [bin, 'doctor'], { timeout: 15_000, env });
    expect(String(ended.stdout)).toMatch(/^no Kafka +java +Java is not installed/m);
    expect(String(ended.stdout)).toContain('can run Isthmus with its log in Postgres');
    expect(ended.status).toBe(0);
  });

  it('is told what is missing where Kafka is asked for', () => {
    const env = { ...process.env, ...withoutJava };
    const ended = spawnSync(process.execPath, [bin, 'demo', '--log', 'kafka'], {
      timeout: 60_000,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(ended.status).toBe(1);
    expect(String(ended.stderr)).toMatch(/Java is not installed.*\n.*--log postgres/);
    const unknown = spawnSync(process.execPath, [bin, 'demo', '--log', 'paper'], { timeout: 15_000, env });
    expect(unknown.status).toBe(2);
    expect(String(unknown.stderr)).toContain('--log takes kafka or postgres; not "paper"');
  }, 90_000);
});

describe('a folder to keep', () => {
  it.each(['', join(bin, 'below-a-file'), '/proc/nope'])(
    '%j is refused before anything starts',
    (keep) => {
      const ended = spawnSync(process.execPath, [bin, 'demo', '--keep', keep], { timeout: 15_000 });
      expect(ended.status).toBe(2);
      expect(String(ended.stderr)).toMatch(/^isthmus: --keep.*folder/);
      expect(String(ended.stderr)).not.toMatch(/\n +at /);
    },
    20_000,
  );
});

describe.runIf(process.platform === 'linux')('the end of a demo', () => {
  let demo: Demo;

  beforeEach(async () => {
    demo = await startDemo();
  });
  afterEach(async () => {
    demo.child.kill('SIGKILL');
    await rm(demo.folder, { recursive: true, force: true });
  });

  const expectCleanEnd = async (): Promise<void> => {
    const [code] = await once(demo.child, 'exit', { signal: AbortSignal.timeout(endTimeoutMs) });
    expect(code).toBe(0);
    // One that was killed as it began may take a moment longer to go than who killed it.
    await until('nothing runs any more', async () => (await processesIn(demo.folder)).length === 0);
    expect(await readdir(demo.folder)).toEqual([]);
  };

  it(
    'comes with SIGTERM and leaves nothing',
    async () => {
      await readyLine(demo);
      demo.child.kill('SIGTERM');
      await expectCleanEnd();
    },
    startTimeoutMs,
  );

  it(
    'comes with the end of standard input, also while a server is paused',
    async () => {
      const { control } = await readyLine(demo);
      await call(`${control}/processes`, { region: 'us', process: 'region', signal: 'SIGSTOP' });
      await call(`${control}/processes`, { region: 'us', process: 'postgres', signal: 'SIGSTOP' });
      demo.child.stdin.end();
      await expectCleanEnd();
    },
    startTimeoutMs,
  );

  it(
    'comes with SIGINT in the middle of its start',
    async () => {
      await until('something has started', async () => (await processesIn(demo.folder)).length > 1);
      demo.child.kill('SIGINT');
      await expectCleanEnd();
    },
    startTimeoutMs,
  );
});
