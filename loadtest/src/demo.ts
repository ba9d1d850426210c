/**
 * The demo under test: one that runs already and was named, or one of our own that is started tuned for long load and
 * without delay, and ended with us. Everything is reached as users reach it: the public and admin listeners, the
 * control address and the database. A demo that was not named is never touched, because the load test writes a hundred
 * thousand records into it and cuts its links.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LogKind } from '@isthmus/local/region-log';
import { findRunningDemos } from '@isthmus/local/running-demo';
import { z } from 'zod';
import { LoadError } from './errors.ts';

const bin = fileURLToPath(new URL('../../services/cli/bin/isthmus.js', import.meta.url));
const stopTimeoutMs = 12_000;
const signals = ['SIGINT', 'SIGTERM'] as const;
const interruptedCode = 130;

const region = z.object({
  region: z.string(),
  api: z.string(),
  admin: z.string(),
  database: z.string(),
  brokers: z.string(),
});
const readyLine = z.object({ readyMs: z.number(), regions: z.array(region), control: z.string() });
const processes = z.object({
  processes: z.array(
    z.object({ region: z.string(), process: z.enum(['region', 'postgres', 'kafka']), pid: z.number() }),
  ),
});
const links = z.object({
  links: z.array(
    z.object({
      origin: z.string(),
      target: z.string(),
      bytesToTarget: z.number(),
      bytesToOrigin: z.number(),
    }),
  ),
});

export type DemoRegion = z.infer<typeof region>;
export type DemoProcess = z.infer<typeof processes>['processes'][number];

export interface Demo {
  readonly pid: number;
  /** Where its logs lie. */
  readonly log: LogKind;
  /** Where everything is written. */
  readonly origin: DemoRegion;
  /** Where it is waited for. */
  readonly target: DemoRegion;
  /** From its start to its ready line; `null` where it was not started here. */
  readonly readyMs: number | null;
  readonly processes: () => Promise<readonly DemoProcess[]>;
  /** Bytes that have passed between the two regions, both ways, on both links. */
  readonly linkBytes: () => Promise<number>;
  readonly setLink: (state: 'ok' | 'cut') => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a demo and resolves when it is ready. */
export async function startDemo(args: readonly string[]): Promise<Demo> {
  const child = spawn(process.execPath, [bin, 'demo', '--json', '--regions', 'eu,us', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  const exited = once(child, 'exit');
  const line = once(createInterface({ input: child.stdout }), 'line');
  const first: unknown[] = await Promise.race([line, exited]);
  if (typeof first[0] !== 'string' || child.pid === undefined)
    throw new LoadError('child-failed', `the demo ended at its start: ${errors}`);
  const ready = readyLine.parse(JSON.parse(first[0]));
  return demoAt({ ...ready, pid: child.pid }, ready.readyMs, async () => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await exited;
    clearTimeout(timer);
  });
}

/** The running demo with this process number, its links freed of delay until we stop or are interrupted. */
export async function attachDemo(named: string): Promise<Demo> {
  const running = await findRunningDemos();
  const found = running.find(({ pid }) => String(pid) === named);
  if (found === undefined) {
    const known = running.map(({ pid }) => pid).join(', ') || 'none';
    throw new LoadError(
      'wrong-usage',
      `--demo takes the process number of a running demo; running: ${known}`,
    );
  }
  const setAll = (state: 'ok' | 'delay') => setLinks(found.control, pairsOf(found.regions), state);
  const leave = (): void => {
    void setAll('ok').finally(() => process.exit(interruptedCode));
  };
  for (const signal of signals) process.once(signal, leave);
  await setAll('delay');
  return demoAt(found, null, async () => {
    for (const signal of signals) process.off(signal, leave);
    await setAll('ok');
  });
}

function demoAt(
  found: { readonly pid: number; readonly regions: readonly DemoRegion[]; readonly control: string },
  readyMs: number | null,
  stop: () => Promise<void>,
): Demo {
  const [origin, target] = found.regions;
  if (origin === undefined || target === undefined)
    throw new LoadError('wrong-usage', 'the demo needs two regions');
  const pair = new Set([origin.region, target.region]);
  return {
    pid: found.pid,
    log: origin.brokers.startsWith('postgres') ? 'postgres' : 'kafka',
    origin,
    target,
    readyMs,
    processes: async () => processes.parse(await getJson(`${found.control}/processes`)).processes,
    linkBytes: async () => {
      const all = links.parse(await getJson(`${found.control}/links`)).links;
      const between = all.filter((link) => pair.has(link.origin) && pair.has(link.target));
      return between.reduce((sum, link) => sum + link.bytesToTarget + link.bytesToOrigin, 0);
    },
    setLink: (state) =>
      setLinks(found.control, [[origin.region, target.region]], state === 'ok' ? 'delay' : state),
    stop,
  };
}

function pairsOf(regions: readonly DemoRegion[]): readonly (readonly [string, string])[] {
  const names = regions.map(({ region: name }) => name);
  return names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const));
}

async function setLinks(
  control: string,
  pairs: readonly (readonly string[])[],
  state: 'ok' | 'cut' | 'delay',
): Promise<void> {
  for (const [origin, target] of pairs) {
    const body = { origin, target, state, ...(state === 'delay' ? { delayMs: 0 } : {}) };
    await getJson(`${control}/links`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
}

async function getJson(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
  if (!response.ok)
    throw new LoadError('unexpected-answer', `${url}: ${response.status} ${await response.text()}`);
  return response.json();
}
