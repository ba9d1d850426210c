/**
 * `isthmus incidents`: partition windows in which both sides wrote, as one region saw them. Each region keeps its own
 * account, by its own clock and with its own numbers.
 */
import { type Target, findTarget, placeOf } from '../remote/addresses.ts';
import { type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { incidentDetails, incidentTable } from '../remote/incident-text.ts';
import { addressOptions, readOptions, takePositionals } from '../remote/options.ts';
import { allPages, countText } from '../remote/pages.ts';
import { request } from '../remote/request.ts';
import { jsonLine } from '../remote/show.ts';

const usage = `isthmus incidents [list] [--windows] [--demo PID] [--region NAME | --admin URL] [--json]
       isthmus incidents show ID [--demo PID] [--region NAME | --admin URL] [--json]
         (--windows: also windows in which one side wrote nothing)`;

export const incidents: Command = {
  name: 'incidents',
  summary: 'List partitions in which both sides wrote, and what came of them',
  usage,
  run: async (args, io) => {
    const [word, ...rest] = args;
    if (word === undefined || word.startsWith('-')) return list(args, io);
    if (word === 'list') return list(rest, io);
    if (word === 'show') return show(rest, io);
    throw wrongUsage(`${JSON.stringify(word.slice(0, 80))} is not one of list, show\nusage: ${usage}`);
  },
};

async function list(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const options = { ...addressOptions, windows: { type: 'boolean', default: false } } as const;
  const { values, positionals } = readOptions(args, options, usage);
  takePositionals(positionals, 0, usage);
  const target = await findTarget(choiceOf(values, io));
  const include = values.windows ? { include: 'windows' } : {};
  const pages = await allPages(target, { path: '/v1/incidents', member: 'incidents', query: include });
  const { found, isCut } = pages;
  io.out(
    values.json
      ? jsonLine({ incidents: found, ...(isCut ? { truncated: true } : {}) })
      : incidentTable(found),
  );
  io.note(`${countText(pages, 'incident')} in ${placeOf(target)}\n`);
  return 0;
}

async function show(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { values, positionals } = readOptions(args, addressOptions, usage);
  const [id = ''] = takePositionals(positionals, 1, usage);
  const target = await findTarget(choiceOf(values, io));
  const incident = await request({ method: 'GET', url: incidentUrl(target, id) });
  io.out(values.json ? jsonLine(incident) : incidentDetails(incident));
  return 0;
}

function incidentUrl(target: Target, id: string): string {
  return `${target.url}/v1/incidents/${encodeURIComponent(id)}`;
}

function choiceOf(
  values: {
    readonly admin?: string[] | undefined;
    readonly demo?: string | undefined;
    readonly region?: string | undefined;
  },
  io: CommandIo,
) {
  const { admin: given, demo, region } = values;
  return { listener: 'admin', given, demo, region, io } as const;
}
