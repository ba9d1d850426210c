/**
 * `isthmus record`: one record as a region stores it, with its context, dots and siblings and how far the changes of
 * every peer have come in its partition; also a record that was deleted and not collected yet. Exit code 1 where nothing
 * is stored. What callers are shown of it is `isthmus get`.
 */
import { findTarget, placeOf } from '../remote/addresses.ts';
import type { Command } from '../remote/command.ts';
import { addressOptions, readOptions, takePositionals } from '../remote/options.ts';
import { request } from '../remote/request.ts';
import { jsonLine, prettyJson } from '../remote/show.ts';

const usage = 'isthmus record COLLECTION KEY [--demo PID] [--region NAME | --admin URL] [--json]';

export const record: Command = {
  name: 'record',
  summary: 'Show a record as it is stored: context, dots, siblings, positions',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, addressOptions, usage);
    const names = takePositionals(positionals, 2, usage);
    const { admin: given, demo, region } = values;
    const target = await findTarget({ listener: 'admin', given, demo, region, io });
    const path = names.map((name) => encodeURIComponent(name)).join('/');
    const stored = await request({ method: 'GET', url: `${target.url}/v1/records/${path}` });
    io.out(values.json ? jsonLine(stored) : prettyJson(stored));
    io.note(`Read in ${placeOf(target)}\n`);
    return 0;
  },
};
