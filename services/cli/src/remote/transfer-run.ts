/**
 * Asks regions to fetch what they miss from their peers, and waits until that is done, showing how far it has come.
 * The regions do the work: whoever interrupts the waiting stops nothing.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Target } from './addresses.ts';
import { CliError } from './cli-error.ts';
import type { CommandIo } from './command.ts';
import { member, queryOf, request } from './request.ts';
import { table, textOf } from './show.ts';

const pollMs = 300;

export interface TransferAsk {
  readonly targets: readonly Target[];
  /** `undefined`: every peer. */
  readonly from: string | undefined;
  readonly dryRun: boolean;
}

export interface RanTransfer {
  readonly region: string;
  readonly transfer: unknown;
}

/** As they stood last: ended, unless the user interrupted. */
export async function runTransfers(ask: TransferAsk, io: CommandIo): Promise<readonly RanTransfer[]> {
  const started = await Promise.all(ask.targets.map((target) => start(target, ask)));
  let running = started.flat();
  while (!io.interrupted.aborted && running.some((each) => !hasEnded(each))) {
    io.progress(progressOf(running));
    await pause(pollMs, undefined, { signal: io.interrupted }).catch(() => undefined);
    running = await Promise.all(running.map(look));
  }
  io.progress('');
  if (io.interrupted.aborted) io.note('Interrupted; the regions go on. isthmus status shows them.\n');
  return running.map(({ target, transfer }) => ({ region: target.region ?? target.url, transfer }));
}

export function areDone(transfers: readonly RanTransfer[]): boolean {
  return transfers.every(({ transfer }) => member(transfer, 'state') === 'done');
}

export function showTransfers(transfers: readonly RanTransfer[]): string {
  const columns = ['donor', 'state', 'examined', 'differing', 'merged', 'refused', 'bytes', 'detail'];
  const rows = transfers.map(({ region, transfer }) => [
    region,
    ...columns.map((name) => textOf(member(transfer, name), '')),
  ]);
  return table([['REGION', 'FROM', ...columns.slice(1).map((name) => name.toUpperCase())], ...rows]);
}

interface Running {
  readonly target: Target;
  readonly transfer: unknown;
}

async function start(target: Target, { from, dryRun }: TransferAsk): Promise<readonly Running[]> {
  const query = queryOf({ dryRun: String(dryRun), from: from ?? null });
  const body = await request({ method: 'POST', url: `${target.url}/v1/transfer${query}` });
  const transfers = member(body, 'transfers');
  if (!Array.isArray(transfers)) throw new CliError(1, `${target.url} gave no transfers.`);
  return transfers.map((transfer: unknown) => ({ target, transfer }));
}

async function look({ target, transfer }: Running): Promise<Running> {
  const url = `${target.url}/v1/transfers/${textOf(member(transfer, 'id'), '')}`;
  return { target, transfer: await request({ method: 'GET', url }) };
}

function hasEnded({ transfer }: Running): boolean {
  const state = member(transfer, 'state');
  return state === 'done' || state === 'failed';
}

function progressOf(running: readonly Running[]): string {
  const parts = running.map(({ target, transfer }) => {
    const [donor, state, examined] = ['donor', 'state', 'examined'].map((name) => member(transfer, name));
    const detail = textOf(member(transfer, 'detail'), '');
    const why = detail === '' ? '' : ` (${detail})`;
    return `${target.region ?? target.url} from ${String(donor)}: ${String(state)}, ${String(examined)} examined${why}`;
  });
  return parts.join('; ');
}
