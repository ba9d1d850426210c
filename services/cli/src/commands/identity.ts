/**
 * `isthmus identity`: who a region is, and whether its database is proven to continue its past. `accept` is an operator's
 * word that it does, for the day on which the log that would prove it is gone; where the word is wrong, acknowledged
 * writes are lost, so it asks to be shown with `--dry-run` first. `renew` is the opposite word: the region goes on as a
 * new incarnation, after it has learnt its past from its log and its peers. A region that is well refuses that without
 * `--force`, and none does it while somebody else is alive in its name.
 */
import { findOne, findTarget } from '../remote/addresses.ts';
import { type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions } from '../remote/options.ts';
import { member, request } from '../remote/request.ts';
import { jsonLine } from '../remote/show.ts';

const usage =
  'isthmus identity [accept | renew [--force]] [--dry-run] [--admin URL | --demo PID --region REGION] [--json]';

const options = {
  ...addressOptions,
  ...dryRunOption,
  force: { type: 'boolean', default: false },
} as const;

export const identity: Command = {
  name: 'identity',
  summary: 'Show who a region is, or take its database for the one that it was',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, options, usage);
    const [action, ...rest] = positionals;
    if (rest.length > 0 || (action !== undefined && action !== 'accept' && action !== 'renew'))
      throw wrongUsage(`usage: ${usage}`);
    const { admin: given, demo, region } = values;
    const find = action === undefined ? findTarget : findOne;
    const { url } = await find({ listener: 'admin', given, demo, region, io });
    if (action === undefined) {
      const shown = await request({ method: 'GET', url: `${url}/v1/identity` });
      io.out(values.json ? jsonLine(shown) : text(shown));
      const isLearnt = (member(shown, 'relearning') ?? null) === null;
      const isRetired = member(shown, 'retired') === true;
      return member(shown, 'continuity') === 'same' && isLearnt && !isRetired ? 0 : 1;
    }
    if (action === 'renew') return renew(url, values, io);
    const query = values['dry-run'] ? '?dryRun=true' : '';
    const answer = await request({ method: 'POST', url: `${url}/v1/identity/accept${query}` });
    io.out(values.json ? jsonLine(answer) : accepted(answer));
    return 0;
  },
};

interface RenewValues {
  readonly 'dry-run': boolean;
  readonly force: boolean;
  readonly json: boolean;
}

async function renew(url: string, values: RenewValues, io: CommandIo): Promise<ExitCode> {
  const query = `?dryRun=${values['dry-run']}&force=${values.force}`;
  const answer = await request({ method: 'POST', url: `${url}/v1/identity/renew${query}` });
  const what = values['dry-run']
    ? 'nothing was changed\n'
    : 'a new incarnation is being taken; writes wait until its past is learnt: see isthmus identity\n';
  io.out(values.json ? jsonLine(answer) : text(member(answer, 'before')) + what);
  return 0;
}

function text(shown: unknown): string {
  const guard = member(shown, 'guard');
  const state =
    guard === null ? 'another process compares it with the own log' : String(member(guard, 'kind'));
  const reason = guard === null ? undefined : member(guard, 'reason');
  const lines = [
    `region       ${String(member(shown, 'region'))}`,
    `actor        ${String(member(shown, 'actor'))}`,
    `incarnation  ${String(member(shown, 'incarnation'))}`,
    `continuity   ${String(member(shown, 'continuity'))}`,
    `guard        ${state}`,
    ...(typeof reason === 'string' ? [`reason       ${reason}`] : []),
    ...(member(shown, 'retired') === true
      ? ['retired      by its peers, for good: it takes no more writes']
      : []),
    ...joining(namesIn(member(shown, 'joining')), namesIn(member(shown, 'notNamedBy'))),
    ...relearning(member(shown, 'relearning') ?? null),
  ];
  return `${lines.join('\n')}\n`;
}

/** A new region takes no writes before it has what its peers have. */
function joining(peers: readonly string[], notNamedBy: readonly string[]): readonly string[] {
  const writers = peers.filter((peer) => !notNamedBy.includes(peer));
  return [
    ...(writers.length === 0
      ? []
      : [`joining      not all has come yet of what ${writers.join(', ')} had written: it takes no writes`]),
    ...(notNamedBy.length === 0
      ? []
      : [`joining      ${notNamedBy.join(', ')} must be configured with it as a peer: it takes no writes`]),
  ];
}

/** An earlier version of the service does not tell all of them. */
function namesIn(told: unknown): readonly string[] {
  return Array.isArray(told) ? told.map(String) : [];
}

/** A new incarnation takes no writes before it has learnt its past again, or nobody is there who could tell it. */
function relearning(shown: unknown): readonly string[] {
  if (shown === null) return [];
  const waitsFor = member(shown, 'waitsFor');
  const what = typeof waitsFor === 'string' ? waitsFor : 'another process learns the past again';
  const writes = member(shown, 'takesWrites') === true ? '; it takes writes meanwhile' : '';
  return [`learning     since ${String(member(shown, 'since'))}: ${what}${writes}`];
}

function accepted(answer: unknown): string {
  const before = text(member(answer, 'before'));
  if (member(answer, 'accepted') === true) return `${before}accepted: the region writes again\n`;
  return `${before}nothing was changed\n`;
}
