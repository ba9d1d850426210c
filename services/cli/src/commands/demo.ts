/**
 * `isthmus demo`: whole regions on this machine, each with a real Postgres, and a real Kafka where the log is to lie
 * in one, joined by links that can be cut. Where nobody chose the log and this machine cannot run Kafka, the log lies
 * in Postgres, and standard error says so and why. Standard output carries the ready line or the friendly text and nothing else.
 * However it ends, it ends within ten seconds with every process and every temporary file gone: what a
 * clean stop does not manage in its time is killed.
 */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, type ClusterRegion, startCluster } from '@isthmus/local/cluster';
import { startControl } from '@isthmus/local/control';
import { LocalError } from '@isthmus/local/errors';
import { type LogChoice, chooseLog } from '@isthmus/local/log-choice';
import { progressOnStderr } from '@isthmus/local/progress';
import { reapEverything } from '@isthmus/local/reaper';
import type { LogKind } from '@isthmus/local/region-log';
import { announceDemo, type RegionAddresses } from '@isthmus/local/running-demo';
import { makeKept } from '@isthmus/local/work-folder';
import { readConfig } from '../config.ts';
import { demoEnd } from '../demo-end.ts';
import { demoText } from '../demo-text.ts';
import { wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { readOptions, takePositionals } from '../remote/options.ts';
import { regionName } from '../remote/region-name.ts';
import { jsonLine } from '../remote/show.ts';

const usage =
  'isthmus demo [--regions eu,us] [--delay MILLISECONDS] [--keep DIR] [--log kafka|postgres] [--long-load] [--json]';
const stopTimeoutMs = 8_000;
const mostRegions = 5;
const longestDelayMs = 10_000;

interface DemoOptions {
  readonly regions: readonly string[];
  readonly delayMs: number;
  readonly keepIn: string | undefined;
  /** `null`: to be chosen by what this machine can run. */
  readonly log: LogKind | null;
  /** Kafka starts slower and bears more. */
  readonly longLoad: boolean;
  readonly json: boolean;
}

export const demo: Command = {
  name: 'demo',
  summary: 'Run regions on this machine, with real Postgres and, where it can run, Kafka',
  usage,
  run: async (args, io) => {
    const options = parseOptions(args);
    if (options.keepIn !== undefined) await checkKept(options.keepIn);
    const log = await logFor(options);
    if (options.log === null && log.kind === 'postgres')
      io.note(`The log lies in Postgres, because ${log.why}. "isthmus doctor" says how to have Kafka.\n`);
    const ended = demoEnd({ interrupted: io.interrupted, isUnderNpm: readConfig().isUnderNpm });
    try {
      const cluster = await Promise.race([start(options, log.kind), ended]);
      if (typeof cluster === 'string') return 0;
      const close = await present(cluster, { ...options, log }, io);
      await ended;
      const stopped = Promise.all([close(), cluster.stop()]);
      await Promise.race([stopped, delay(stopTimeoutMs, undefined, { ref: false })]);
      return 0;
    } finally {
      await reapEverything();
      process.stdin.destroy();
    }
  },
};

/** Before anything starts, so that nothing has to be ended. */
async function checkKept(path: string): Promise<void> {
  try {
    await makeKept(path);
  } catch (error) {
    if (!(error instanceof LocalError)) throw error;
    throw wrongUsage(`--keep: ${error.message}\n  ${error.remedy}`);
  }
}

function logFor({ log, regions }: DemoOptions): Promise<LogChoice> {
  return log === null ? chooseLog(regions) : Promise.resolve({ kind: log, why: '--log says so' });
}

function start(options: DemoOptions, log: LogKind): Promise<Cluster> {
  return startCluster({
    regions: options.regions,
    log,
    baseDelayMs: options.delayMs,
    keepIn: options.keepIn,
    kafkaTuning: options.longLoad ? 'long-load' : 'quick-start',
    progress: progressOnStderr,
  });
}

/** Tells everybody where the demo is; the result takes that back. */
async function present(
  cluster: Cluster,
  options: Omit<DemoOptions, 'log'> & { readonly log: LogChoice },
  io: CommandIo,
): Promise<() => Promise<void>> {
  const control = await startControl(cluster);
  const regions = cluster.regions.map(addressesOf);
  const readyMs = Math.round(performance.now());
  const withdraw = await announceDemo({
    pid: process.pid,
    startedAtMs: Date.now(),
    regions,
    control: control.address,
  });
  const { json, log, delayMs } = options;
  const shown = { readyMs, regions, control: control.address };
  io.out(json ? jsonLine({ ready: true, ...shown, log: log.kind }) : demoText({ ...shown, delayMs, log }));
  return async () => {
    await withdraw();
    await control.close();
  };
}

function addressesOf({ region, process: { api, admin }, postgres, brokers }: ClusterRegion): RegionAddresses {
  const { url: database } = postgres;
  return { region, api, admin, console: `${admin}/console`, database, brokers };
}

function parseOptions(args: readonly string[]): DemoOptions {
  const { values, positionals } = readOptions(
    args,
    {
      regions: { type: 'string', default: 'eu,us' },
      delay: { type: 'string', default: '40' },
      keep: { type: 'string' },
      log: { type: 'string' },
      'long-load': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
    usage,
  );
  takePositionals(positionals, 0, usage);
  if (values.keep === '') throw wrongUsage(`--keep takes the path of a folder; it is empty\nusage: ${usage}`);
  return {
    regions: parseRegions(values.regions),
    delayMs: parseDelay(values.delay),
    keepIn: values.keep === undefined ? undefined : resolve(values.keep),
    log: values.log === undefined ? null : parseLog(values.log),
    longLoad: values['long-load'],
    json: values.json,
  };
}

function parseRegions(text: string): readonly string[] {
  const names = text.split(',');
  const areGood = names.every((name) => regionName.test(name)) && new Set(names).size === names.length;
  if (areGood && names.length >= 2 && names.length <= mostRegions) return names;
  throw wrongUsage(
    `--regions takes 2 to ${mostRegions} different names with commas between, each of 1 to 32 lower-case ` +
      `letters, digits and inner hyphens; not ${JSON.stringify(text.slice(0, 100))}\nusage: ${usage}`,
  );
}

function parseLog(text: string): LogKind {
  if (text === 'kafka' || text === 'postgres') return text;
  throw wrongUsage(
    `--log takes kafka or postgres; not ${JSON.stringify(text.slice(0, 100))}\nusage: ${usage}`,
  );
}

function parseDelay(text: string): number {
  const delayMs = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (delayMs <= longestDelayMs) return delayMs;
  throw wrongUsage(
    `--delay takes milliseconds each way, 0 to ${longestDelayMs}; not ${JSON.stringify(text.slice(0, 100))}\nusage: ${usage}`,
  );
}
