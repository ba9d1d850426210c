/**
 * `isthmus conflicts`: fields that regions wrote without having seen each other's value, and the value that lost put
 * back. A restore is an ordinary write in the region that is asked, which carries it to the others; it is refused where
 * the conflict has ended meanwhile.
 */
import { type Target, findOne, findTarget, placeOf } from '../remote/addresses.ts';
import { CliError, type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { type ConflictQuery, conflictPages } from '../remote/conflict-pages.ts';
import { conflictDetails, conflictLines, unreadableLine } from '../remote/conflict-text.ts';
import { addressOptions, dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { request } from '../remote/request.ts';
import { jsonLine, prettyJson } from '../remote/show.ts';

const usage = `isthmus conflicts list [COLLECTION] [--key KEY] [--demo PID] [--region NAME | --admin URL] [--json]
       isthmus conflicts show ID|COLLECTION/KEY [--demo PID] [--region NAME | --admin URL] [--json]
       isthmus conflicts restore ID [--actor ACTOR | --region NAME] [--dry-run] [--demo PID] [--in NAME | --admin URL] [--json]
         (without a word it lists all; of restore, --region and --actor say whose value to show, --in in which region to write)`;

type Action = (args: readonly string[], io: CommandIo) => Promise<ExitCode>;

const actions = new Map<string, Action>([
  ['list', list],
  ['show', show],
  ['restore', restore],
]);

export const conflicts: Command = {
  name: 'conflicts',
  summary: 'List conflicts, say why a value won, and restore one that lost',
  usage,
  run: async (args, io) => {
    const [word, ...rest] = args;
    if (word === undefined || word.startsWith('-')) return list(args, io);
    const action = actions.get(word);
    if (action !== undefined) return action(rest, io);
    const names = [...actions.keys()].join(', ');
    throw wrongUsage(`${JSON.stringify(word.slice(0, 80))} is not one of ${names}\nusage: ${usage}`);
  },
};

async function list(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const options = { ...addressOptions, key: { type: 'string' } } as const;
  const { values, positionals } = readOptions(args, options, usage);
  const [collection = null] = takePositionals(positionals, positionals.length === 0 ? 0 : 1, usage);
  const { key = null, admin: given, demo, region, json } = values;
  if (key !== null && collection === null) throw wrongUsage(`--key needs a COLLECTION\nusage: ${usage}`);
  const target = await findTarget({ listener: 'admin', given, demo, region, io });
  const print = json ? null : conflictLines;
  const { found, scanned } = await printAll(target, { query: { collection, key }, print, io });
  io.note(`${counted(found, 'conflict')} in ${counted(scanned, 'record')} of ${placeOf(target)}\n`);
  return 0;
}

async function show(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { values, positionals } = readOptions(args, addressOptions, usage);
  const [name = ''] = takePositionals(positionals, 1, usage);
  const { admin: given, demo, region, json } = values;
  const target = await findTarget({ listener: 'admin', given, demo, region, io });
  const details = (conflict: unknown): string => conflictDetails(conflict, target.region);
  const slash = name.indexOf('/');
  if (slash < 0) {
    const conflict = await request({ method: 'GET', url: conflictUrl(target, name) });
    io.out(json ? jsonLine({ conflicts: [conflict] }) : details(conflict));
    return 0;
  }
  const query = { collection: name.slice(0, slash), key: name.slice(slash + 1) };
  const { found } = await printAll(target, { query, print: json ? null : details, io });
  if (found > 0) return 0;
  throw new CliError(1, `No conflict in ${JSON.stringify(name)} of ${placeOf(target)}`);
}

async function restore(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { admin, demo: demoOption, region: regionOption, json } = addressOptions;
  const named = { admin, demo: demoOption, region: regionOption, json, ...dryRunOption };
  const options = { ...named, actor: { type: 'string' }, in: { type: 'string' } } as const;
  const { values, positionals } = readOptions(args, options, usage);
  const [id = ''] = takePositionals(positionals, 1, usage);
  const { actor, region } = values;
  if (actor !== undefined && region !== undefined)
    throw wrongUsage(`--actor and --region both say whose value; name one of them\nusage: ${usage}`);
  const place = { given: values.admin, demo: values.demo, region: values.in };
  const target = await findOne({ listener: 'admin', ...place, io }, '--in');
  const dryRun = values['dry-run'];
  const url = `${conflictUrl(target, id)}/restore${dryRun ? '?dryRun=true' : ''}`;
  const record = await request({ method: 'POST', url, body: { actor, region } });
  io.out(values.json ? jsonLine(record) : prettyJson(record));
  io.note(`${dryRun ? 'Nothing was done' : 'Done'} in ${placeOf(target)}\n`);
  return 0;
}

function conflictUrl(target: Target, id: string): string {
  return `${target.url}/v1/conflicts/${encodeURIComponent(id)}`;
}

interface Printing {
  readonly query: ConflictQuery;
  /** `null`: all as one line of JSON. */
  readonly print: ((conflict: unknown) => string) | null;
  readonly io: CommandIo;
}

/** Prints each page as it comes. */
async function printAll(target: Target, { query, print, io }: Printing) {
  let found = 0;
  let scanned = 0;
  const unreadable: string[] = [];
  let opening = print === null ? '{"conflicts":[' : '';
  try {
    for await (const page of conflictPages(target, query, io.interrupted)) {
      io.progress('');
      io.out(opening);
      opening = '';
      for (const conflict of page.conflicts) {
        const comma = found === 0 ? '' : ',';
        io.out(print === null ? comma + JSON.stringify(conflict) : print(conflict));
        found += 1;
      }
      for (const record of page.unreadable) {
        io.note(unreadableLine(record));
        if (print === null) unreadable.push(JSON.stringify(record));
      }
      scanned += page.scanned;
      io.progress(`${counted(found, 'conflict')} in ${counted(scanned, 'record')}, looking on`);
    }
  } finally {
    io.progress('');
  }
  const untold = unreadable.length === 0 ? '' : `,"unreadable":[${unreadable.join(',')}]`;
  if (print === null) io.out(`]${untold},"scanned":${scanned}}\n`);
  return { found, scanned };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
