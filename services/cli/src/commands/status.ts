/**
 * `isthmus status`: every region's own view of its peers. A region that cannot be reached is a line of the table, and
 * the command then ends with exit code 3. Unknown is shown as `unknown`, never as 0.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Target, findTargets } from '../remote/addresses.ts';
import { CliError, type ExitCode } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { addressOptions, readOptions, takePositionals } from '../remote/options.ts';
import { member, request } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';

const usage = 'isthmus status [--watch] [--demo PID] [--region NAME | --admin URL …] [--json]';
const redrawMs = 1000;
const longOpenSeconds = 60;
/** Moves the cursor home and clears what is below. */
const redraw = '\u001b[H\u001b[J';

interface View {
  readonly target: Target;
  /** `null`: not reached. */
  readonly status: unknown;
  readonly failure: CliError | null;
}

export const status: Command = {
  name: 'status',
  summary: 'Show regions, links, lag and RPO',
  usage,
  run: async (args, io) => {
    const options = { ...addressOptions, watch: { type: 'boolean', default: false } } as const;
    const { values, positionals } = readOptions(args, options, usage);
    takePositionals(positionals, 0, usage);
    const { admin: given, demo, region } = values;
    const targets = await findTargets({ listener: 'admin', given, demo, region, io });
    const print = values.json ? showJson : showTable;
    if (!values.watch) return printOnce(await readAll(targets), print, io);
    return watch(targets, (views) => (values.json ? '' : redraw) + print(views), io);
  },
};

function printOnce(
  views: readonly View[],
  print: (views: readonly View[]) => string,
  io: CommandIo,
): ExitCode {
  const reached = views.find((view) => view.failure === null);
  if (reached === undefined) throw views[0]?.failure ?? new CliError(3, 'No region was reached.');
  io.out(print(views));
  return views.some((view) => view.failure !== null) ? 3 : 0;
}

async function watch(
  targets: readonly Target[],
  print: (views: readonly View[]) => string,
  io: CommandIo,
): Promise<ExitCode> {
  while (!io.interrupted.aborted) {
    io.out(print(await readAll(targets)));
    await pause(redrawMs, undefined, { signal: io.interrupted }).catch(() => undefined);
  }
  return 0;
}

function readAll(targets: readonly Target[]): Promise<readonly View[]> {
  return Promise.all(targets.map(readOne));
}

async function readOne(target: Target): Promise<View> {
  try {
    const url = `${target.url}/v1/status`;
    return { target, status: await request({ method: 'GET', url }), failure: null };
  } catch (error) {
    if (error instanceof CliError) return { target, status: null, failure: error };
    throw error;
  }
}

function showJson(views: readonly View[]): string {
  return jsonLine({
    regions: views.map(({ target, status: body, failure }) =>
      failure === null ? body : { region: target.region, admin: target.url, error: failure.message },
    ),
  });
}

const heading = ['REGION', 'READY', 'PEER', 'LINK', 'LAG', 'BACKLOG', 'RPO', 'RPO CHANGES'];

function showTable(views: readonly View[]): string {
  const failures = views.flatMap(({ failure }) => (failure === null ? [] : [`${failure.message}\n`]));
  const said = [...views.flatMap(heldBack), ...views.flatMap(wholeRegion)];
  return table([heading, ...views.flatMap(rowsOf)]) + said.join('') + failures.join('');
}

function rowsOf({ target, status: body, failure }: View): readonly (readonly string[])[] {
  const name = textOf(member(body, 'region'), target.region ?? target.url);
  if (failure !== null) return [[name, 'unreachable']];
  const ready = member(body, 'ready') === true ? 'yes' : 'NO';
  const peers = member(body, 'peers');
  if (!Array.isArray(peers) || peers.length === 0) return [[name, ready, '(no peers)']];
  return peers.map((peer: unknown) => [
    name,
    ready,
    textOf(member(peer, 'region'), ''),
    textOf(member(peer, 'link'), 'unknown'),
    seconds(member(peer, 'lagSeconds')),
    count(member(peer, 'backlogChanges')),
    seconds(member(peer, 'rpoSeconds')),
    count(member(peer, 'rpoChanges')),
  ]);
}

/** Dead records that cannot be collected, because the barrier has waited for others for so long. */
function heldBack({ status: body }: View): readonly string[] {
  const tombstones = member(body, 'tombstones');
  const open = member(tombstones, 'openSeconds');
  if (typeof open !== 'number' || open < longOpenSeconds) return [];
  const waitingFor = member(tombstones, 'waitingFor');
  const whom =
    Array.isArray(waitingFor) && waitingFor.length > 0 ? waitingFor.map(String).join(', ') : 'others';
  const name = textOf(member(body, 'region'), 'a region');
  return [`${name} collects no tombstones: it has waited ${Math.round(open)} s for ${whom}\n`];
}

/** What an operator has asked of it, as long as that goes on. */
function wholeRegion({ status: body }: View): readonly string[] {
  const name = textOf(member(body, 'region'), 'a region');
  const refill = member(body, 'refill');
  const state = textOf(member(refill, 'state'), 'done');
  const isOver = state === 'done' || state === 'refused';
  return [
    ...(member(body, 'drained') === true ? [`${name} was drained: it takes no writes\n`] : []),
    ...(isOver
      ? []
      : [`${name} is filled anew from ${textOf(member(refill, 'donor'), 'a peer')}: ${state}\n`]),
  ];
}

function seconds(value: unknown): string {
  return typeof value === 'number' ? `${value.toFixed(2)} s` : 'unknown';
}

function count(value: unknown): string {
  return typeof value === 'number' ? String(value) : 'unknown';
}
