/**
 * `isthmus region refill`: drops what a region holds and fills it anew from a peer, for a database that is empty, too old,
 * below what its peers have collected, or not to be trusted. What the region has and no peer has is never lost silently:
 * the region refuses and names the lives at stake, and only `--accept-loss` with each of these names goes on; `--export FILE`
 * writes down first what only its log has. `--dry-run` shows the donor and what would be dropped and lost. The region does
 * the work, so whoever interrupts the waiting stops nothing, and the command done again goes on watching or begins anew.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { findOne } from '../remote/addresses.ts';
import { CliError, type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { CommandIo } from '../remote/command.ts';
import { member, queryOf, request } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';
import { ask, isOpen, look, regionText } from './region-drain.ts';
import { exportRegion } from './region-export.ts';
import type { RegionArguments } from './region.ts';

const pollMs = 300;

export async function refillRegion(given: RegionArguments, io: CommandIo): Promise<ExitCode> {
  const { names, values } = given;
  if (names.length > 0)
    throw wrongUsage(
      'usage: isthmus region refill [--from REGION] [--export FILE] [--accept-loss LIVES] [--dry-run] [--admin URL | --demo PID --region REGION]',
    );
  const { admin, demo, region, 'dry-run': dryRun, from, 'accept-loss': acceptLoss } = values;
  const { url } = await findOne({ listener: 'admin', given: admin, demo, region, io });
  const query = queryOf({
    dryRun: String(dryRun),
    from: from ?? null,
    acceptLoss: acceptLoss ?? null,
  });
  if (!dryRun) await exportFirst(given, url, io);
  const wanted = await request({ method: 'POST', url: `${url}/v1/region/refill${query}` });
  if (!dryRun) return watch(url, values.json, io);
  io.out(values.json ? jsonLine(wanted) : planText(wanted));
  return lossOf(wanted).length === 0 ? 0 : 1;
}

/** A region that is drained writes nothing meanwhile, so what is written down is all. */
async function exportFirst({ values }: RegionArguments, url: string, io: CommandIo): Promise<void> {
  const { export: path } = values;
  if (path === undefined) return;
  let shown = await ask({ method: 'POST', url: `${url}/v1/region/drain` });
  while (!hasStopped(shown)) {
    io.progress('writes end');
    await pause(pollMs);
    if (io.interrupted.aborted) throw new CliError(1, 'Interrupted; the region stays drained.');
    shown = await look(url);
  }
  await exportRegion({ names: [path], values: { ...values, json: false } }, { ...io, out: io.note });
  io.note(
    'Once the region is filled, isthmus region reissue FILE writes there what is still missing then, for each file.\n',
  );
}

function hasStopped(shown: unknown): boolean {
  return typeof member(member(shown, 'drained'), 'beat') === 'number';
}

async function watch(url: string, json: boolean, io: CommandIo): Promise<ExitCode> {
  let shown: unknown = null;
  while (!io.interrupted.aborted) {
    shown = await look(url);
    const refill = member(shown, 'refill');
    if (stateOf(refill) === 'refused') throw refused(refill);
    if (stateOf(refill) === 'done' && isOpen(shown)) break;
    io.progress(await progressText(url, shown));
    await pause(pollMs, undefined, { signal: io.interrupted }).catch(() => undefined);
  }
  io.progress('');
  if (io.interrupted.aborted) io.note('Interrupted; the region goes on. isthmus region shows it.\n');
  io.out(json ? jsonLine(shown) : regionText(shown));
  return io.interrupted.aborted ? 1 : 0;
}

function stateOf(refill: unknown): string {
  return textOf(member(refill, 'state'), '');
}

function refused(refill: unknown): CliError {
  return new CliError(
    1,
    `The region was not filled anew, and nothing was dropped: ${textOf(member(refill, 'detail'), 'no reason given')}.`,
  );
}

async function progressText(url: string, shown: unknown): Promise<string> {
  if (shown === null) return 'the region does not answer now';
  const refill = member(shown, 'refill');
  const state = stateOf(refill);
  if (state !== 'filling') return `${state} ${textOf(member(refill, 'detail'), '')}`;
  const transfers = member(
    await request({ method: 'GET', url: `${url}/v1/transfers` }).catch(() => null),
    'transfers',
  );
  const [job]: readonly unknown[] = Array.isArray(transfers) ? transfers : [];
  const merged = textOf(member(job, 'merged'), '0');
  return `filling from ${textOf(member(refill, 'donor'), '?')}: ${merged} records ${textOf(member(job, 'detail'), '')}`;
}

function lossOf(wanted: unknown): readonly string[] {
  const loss = member(wanted, 'loss');
  return Array.isArray(loss) ? loss.map(String) : [];
}

function planText(wanted: unknown): string {
  const loss = lossOf(wanted);
  const more = member(wanted, 'moreRecords') === true ? 'more than ' : '';
  const peers: unknown = member(wanted, 'peers');
  const rows = [
    ['from', textOf(member(wanted, 'donor'), '?')],
    ['drops', `${more}${textOf(member(wanted, 'records'), '0')} records`],
    ['loses', loss.length === 0 ? 'nothing: a peer has all of it' : `changes of ${loss.join(', ')}`],
    ...(Array.isArray(peers) ? peers : []).map((peer: unknown) => [
      textOf(member(peer, 'peer'), '?'),
      textOf(member(peer, 'refusal'), 'answers'),
    ]),
  ];
  return table(rows);
}
