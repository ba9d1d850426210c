/**
 * `isthmus dead-letters`: changes that a region has put aside because it could not apply them, and one of them tried
 * again or given up. A retry that is refused again is an answer of no, not a failure, and so is giving up what could be
 * tried again.
 */
import { findOne, findTarget, placeOf } from '../remote/addresses.ts';
import { type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { allPages, countText } from '../remote/pages.ts';
import { printable } from '../remote/printable.ts';
import { member, queryOf, request } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';

const usage = `isthmus dead-letters [list] [--demo PID] [--region NAME | --admin URL] [--json]
       isthmus dead-letters retry ID [--dry-run] [--demo PID] [--region NAME | --admin URL] [--json]
       isthmus dead-letters discard ID --reason TEXT [--accept-loss] [--dry-run] [--demo PID] [--region NAME | --admin URL] [--json]`;

const discardOptions = {
  ...addressOptions,
  ...dryRunOption,
  reason: { type: 'string' },
  'accept-loss': { type: 'boolean', default: false },
} as const;

export const deadLetters: Command = {
  name: 'dead-letters',
  summary: 'List changes that were put aside; try one again, or give it up',
  usage,
  run: async (args, io) => {
    const [word, ...rest] = args;
    if (word === undefined || word.startsWith('-')) return list(args, io);
    if (word === 'list') return list(rest, io);
    if (word === 'retry') return retry(rest, io);
    if (word === 'discard') return discard(rest, io);
    const named = JSON.stringify(word.slice(0, 80));
    throw wrongUsage(`${named} is not one of list, retry, discard\nusage: ${usage}`);
  },
};

async function list(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { values, positionals } = readOptions(args, addressOptions, usage);
  takePositionals(positionals, 0, usage);
  const { admin: given, demo, region } = values;
  const target = await findTarget({ listener: 'admin', given, demo, region, io });
  const pages = await allPages(target, { path: '/v1/dead-letters', member: 'deadLetters', query: {} });
  const { found, isCut } = pages;
  io.out(values.json ? jsonLine({ deadLetters: found, ...(isCut ? { truncated: true } : {}) }) : show(found));
  io.note(`${countText(pages, 'dead letter')} in ${placeOf(target)}\n`);
  return 0;
}

function show(letters: readonly unknown[]): string {
  if (letters.length === 0) return 'Nothing is put aside.\n';
  const text = (letter: unknown, name: string) => printable(textOf(member(letter, name), ''));
  const rows = letters.map((letter) => [
    text(letter, 'id'),
    `${text(letter, 'collection')}/${text(letter, 'key')}`,
    text(letter, 'cause'),
    text(letter, 'openedAt'),
    text(letter, 'detail') + givenUpText(member(letter, 'givenUp')),
  ]);
  return table([['ID', 'RECORD', 'CAUSE', 'SINCE', 'DETAIL'], ...rows]);
}

function givenUpText(givenUp: unknown): string {
  const reason = textOf(member(givenUp, 'reason'), '');
  return reason === '' ? '' : `; given up: ${printable(reason)}`;
}

async function retry(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { values, positionals } = readOptions(args, { ...addressOptions, ...dryRunOption }, usage);
  const [id = ''] = takePositionals(positionals, 1, usage);
  const { admin: given, demo, region } = values;
  const target = await findOne({ listener: 'admin', given, demo, region, io });
  const dryRun = values['dry-run'];
  const url = `${target.url}/v1/dead-letters/${encodeURIComponent(id)}/retry${dryRun ? '?dryRun=true' : ''}`;
  const report = await request({ method: 'POST', url });
  const isApplied = member(report, 'outcome') === 'applied';
  const reason = `${textOf(member(report, 'cause'), 'kept')}: ${textOf(member(report, 'detail'), '')}`;
  const sentence = isApplied ? `${dryRun ? 'would be ' : ''}applied` : `kept, ${printable(reason)}`;
  io.out(values.json ? jsonLine(report) : `${sentence}\n`);
  io.note(`${dryRun ? 'Nothing was done' : 'Done'} in ${placeOf(target)}\n`);
  return isApplied ? 0 : 1;
}

async function discard(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { values, positionals } = readOptions(args, discardOptions, usage);
  const [id = ''] = takePositionals(positionals, 1, usage);
  const { admin: given, demo, region, reason } = values;
  if (reason === undefined) throw wrongUsage(`--reason TEXT says why it is given up\nusage: ${usage}`);
  const target = await findOne({ listener: 'admin', given, demo, region, io });
  const dryRun = values['dry-run'];
  const query = queryOf({ dryRun: `${dryRun}`, acceptLoss: `${values['accept-loss']}` });
  const url = `${target.url}/v1/dead-letters/${encodeURIComponent(id)}/discard${query}`;
  const report = await request({ method: 'POST', url, body: { reason } });
  const outcome = textOf(member(report, 'outcome'), '');
  io.out(values.json ? jsonLine(report) : `${dryRun ? 'would be ' : ''}${sentenceOf(outcome)}\n`);
  const isDone = !dryRun && outcome !== 'applicable';
  io.note(`${isDone ? 'Done' : 'Nothing was done'} in ${placeOf(target)}\n`);
  return outcome === 'applicable' ? 1 : 0;
}

function sentenceOf(outcome: string): string {
  if (outcome === 'waiting')
    return 'given up; it is closed once a transfer has brought what its record came to';
  if (outcome === 'lost') return 'closed; what it carried may be missing here';
  return 'kept: it can be applied, so try isthmus dead-letters retry';
}
