/**
 * The demo as a test drives it: started by the command that users type, seen through its addresses, broken through
 * its control address. It ends with the end of our standard input, so nothing is left should a test run be killed.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../tidy/tree.ts';
import { until } from '../until.ts';
import { RegionClient } from './region-client.ts';

const readyLine = z.object({
  ready: z.literal(true),
  readyMs: z.number().positive(),
  regions: z.array(
    z.object({
      region: z.string(),
      api: z.url(),
      admin: z.url(),
      console: z.url(),
      database: z.string(),
      brokers: z.string(),
    }),
  ),
  control: z.url(),
});

type ReadyLine = z.infer<typeof readyLine>;

export type LinkState = 'ok' | 'cut' | 'hang' | 'delay';
export type Signal = 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'start';
export type ProcessName = 'region' | 'postgres' | 'kafka';

export interface Demo {
  /** Process number, by which the commands tell it from other demos. */
  readonly pid: number;
  readonly ready: ReadyLine;
  readonly regions: readonly RegionClient[];
  readonly region: (name: string) => RegionClient;
  readonly setLink: (origin: string, target: string, state: LinkState, delayMs?: number) => Promise<void>;
  readonly signal: (region: string, process: ProcessName, signal: Signal) => Promise<void>;
  /** Ends it and resolves with its exit code. */
  readonly stop: () => Promise<number | null>;
}

const readyDeadlineMs = 120_000;
const stopDeadlineMs = 15_000;

export async function startDemo(args: readonly string[] = []): Promise<Demo> {
  const bin = join(root, 'services/cli/bin/isthmus.js');
  const child = spawn(process.execPath, [bin, 'demo', '--json', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  let line: string | null = null;
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
    // What it says once it runs is of something that nobody asked for.
    if (line !== null) process.stderr.write(chunk);
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    line ??= text;
  });
  let code: number | null | undefined;
  child.once('exit', (exitCode) => {
    code = exitCode;
  });
  const text = await until('the demo is ready', readyDeadlineMs, () => {
    if (code !== undefined && line === null) throw new Error(`the demo ended with ${code}: ${errors}`);
    return line;
  });
  const ready = readyLine.parse(JSON.parse(text));
  const { pid } = child;
  if (pid === undefined) throw new Error('the demo has no process number');
  const regions = ready.regions.map((region) => new RegionClient(region));
  return {
    pid,
    ready,
    regions,
    region: (name) => {
      const found = regions.find((region) => region.region === name);
      if (found === undefined) throw new Error(`the demo has no region ${name}`);
      return found;
    },
    setLink: (origin, target, state, delayMs) =>
      control(ready, 'links', { origin, target, state, ...(delayMs === undefined ? {} : { delayMs }) }),
    signal: (region, name, signal) => control(ready, 'processes', { region, process: name, signal }),
    stop: async () => {
      child.stdin.end();
      const { exitCode } = await until('the demo has ended', stopDeadlineMs, () =>
        code === undefined ? null : { exitCode: code },
      );
      return exitCode;
    },
  };
}

async function control(ready: ReadyLine, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${ready.control}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST /${path} answered ${response.status}: ${await response.text()}`);
}
