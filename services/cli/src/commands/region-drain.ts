/**
 * `isthmus region drain` and `isthmus region join`: takes a region's writes away, waits until every peer has everything
 * that it ever acknowledged, and says so; and gives them back, waiting until the region takes writes, which may have to
 * learn or fetch something first. What is asked for stays when the waiting is interrupted. Exit code 1 where it was.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { findOne, findTarget } from '../remote/addresses.ts';
import { CliError, type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { CommandIo } from '../remote/command.ts';
import { type Call, member, refusal, request, send } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';
import type { RegionArguments } from './region.ts';

const pollMs = 300;
const attempts = 10;

export function drainRegion({ names, values }: RegionArguments, io: CommandIo): Promise<ExitCode> {
  return change('drain', { names, values }, io);
}

export function joinRegion({ names, values }: RegionArguments, io: CommandIo): Promise<ExitCode> {
  return change('join', { names, values }, io);
}

/** `isthmus region`: how it stands. Exit code 1 where it takes no writes. */
export async function showRegion({ values }: RegionArguments, io: CommandIo): Promise<ExitCode> {
  const { admin: given, demo, region, json } = values;
  const { url } = await findTarget({ listener: 'admin', given, demo, region, io });
  const shown = await request({ method: 'GET', url: `${url}/v1/region` });
  io.out(json ? jsonLine(shown) : regionText(shown));
  return isOpen(shown) ? 0 : 1;
}

async function change(
  action: 'drain' | 'join',
  { names, values }: RegionArguments,
  io: CommandIo,
): Promise<ExitCode> {
  if (names.length > 0)
    throw wrongUsage(
      `usage: isthmus region ${action} [--dry-run] [--admin URL | --demo PID --region REGION]`,
    );
  const { admin: given, demo, region, json, 'dry-run': dryRun } = values;
  const { url } = await findOne({ listener: 'admin', given, demo, region, io });
  const isDone = action === 'drain' ? isEverywhere : isOpen;
  const asked = await ask({ method: 'POST', url: `${url}/v1/region/${action}?dryRun=${dryRun}` });
  const shown = dryRun ? asked : await watched({ url, asked, isDone }, io);
  io.progress('');
  if (io.interrupted.aborted) io.note('Interrupted; what was asked for stays. isthmus region shows it.\n');
  io.out(json ? jsonLine(shown) : regionText(shown));
  return dryRun || isDone(shown) ? 0 : 1;
}

interface Watched {
  readonly url: string;
  readonly asked: unknown;
  readonly isDone: (shown: unknown) => boolean;
}

/** As it stood last: done, unless the user interrupted. */
async function watched({ url, asked, isDone }: Watched, io: CommandIo): Promise<unknown> {
  let shown = asked;
  while (!isDone(shown) && !io.interrupted.aborted) {
    io.progress(waitingText(shown));
    await pause(pollMs, undefined, { signal: io.interrupted }).catch(() => undefined);
    shown = await look(url);
  }
  return shown;
}

/** The database may be away for a moment, and whoever asks twice asks for the same. */
export async function ask(call: Call): Promise<unknown> {
  for (let left = attempts; ; left--) {
    const answer = await send(call);
    if (answer.status < 400) return answer.body;
    if (left === 1 || member(answer.body, 'code') !== 'database-unavailable') throw refusal(answer);
    await pause(pollMs);
  }
}

/**
 * How the region stands. `null`: no answer, which is no end of what it does: its process opens the database again as
 * another incarnation, or was killed.
 */
export async function look(url: string): Promise<unknown> {
  try {
    return await request({ method: 'GET', url: `${url}/v1/region` });
  } catch (reason) {
    if (reason instanceof CliError) return null;
    throw reason;
  }
}

export function isOpen(shown: unknown): boolean {
  return shown !== null && waits(shown).length === 0;
}

/** Every peer has all that the region ever acknowledged. */
function isEverywhere(shown: unknown): boolean {
  const peers = drainedPeers(shown);
  return peers !== null && peers.every((peer) => member(peer, 'hasAll') === true);
}

function drainedPeers(shown: unknown): readonly unknown[] | null {
  const peers = member(member(shown, 'drained'), 'peers');
  return Array.isArray(peers) ? peers : null;
}

function waits(shown: unknown): readonly string[] {
  const found = member(shown, 'waitsFor');
  return Array.isArray(found) ? found.map(String) : [];
}

function waitingText(shown: unknown): string {
  if (shown === null) return 'the region does not answer now';
  const missing = (drainedPeers(shown) ?? []).filter((peer) => member(peer, 'hasAll') !== true);
  if (missing.length === 0) return waits(shown).join('; ');
  return `waits for ${missing.map((peer) => textOf(member(peer, 'region'), '?')).join(', ')}`;
}

export function regionText(shown: unknown): string {
  const refill = member(shown, 'refill') ?? null;
  const rows = [
    ['region', textOf(member(shown, 'region'), '?')],
    ['actor', textOf(member(shown, 'actor'), '?')],
    ['writes', isOpen(shown) ? 'taken' : 'refused'],
    ...waits(shown).map((reason) => ['because', reason]),
    ...(drainedPeers(shown) ?? []).map((peer) => [
      textOf(member(peer, 'region'), '?'),
      member(peer, 'hasAll') === true
        ? 'has all'
        : member(peer, 'hasAll') === false
          ? 'not all yet'
          : 'unknown',
    ]),
    ...(refill === null ? [] : [['refill', refillText(refill)]]),
  ];
  return table(rows);
}

function refillText(refill: unknown): string {
  const detail = textOf(member(refill, 'detail'), '');
  const state = `${textOf(member(refill, 'state'), '?')} from ${textOf(member(refill, 'donor'), '?')}`;
  return detail === '' ? state : `${state}: ${detail}`;
}
