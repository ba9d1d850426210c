/** `isthmus get`: one record as a region holds it. Exit code 1 where the record does not exist. */
import { placeOf } from '../remote/addresses.ts';
import type { Command } from '../remote/command.ts';
import { addressOptions, readOptions, takePositionals } from '../remote/options.ts';
import { findRecord } from '../remote/record-call.ts';
import { request } from '../remote/request.ts';
import { jsonLine, prettyJson } from '../remote/show.ts';

const usage = 'isthmus get COLLECTION KEY [--siblings] [--demo PID] [--region NAME | --api URL] [--json]';

export const get: Command = {
  name: 'get',
  summary: 'Show a record',
  usage,
  run: async (args, io) => {
    const options = { ...addressOptions, siblings: { type: 'boolean', default: false } } as const;
    const { values, positionals } = readOptions(args, options, usage);
    const [collection = '', key = ''] = takePositionals(positionals, 2, usage);
    const { target, url } = await findRecord(values, { collection, key }, io);
    const record = await request({ method: 'GET', url: values.siblings ? `${url}?siblings=all` : url });
    io.out(values.json ? jsonLine(record) : prettyJson(record));
    io.note(`Read in ${placeOf(target)}\n`);
    return 0;
  },
};
