/** `isthmus put`: the fields that differ are written, those not named are cleared. */
import type { Command } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { findRecord, readJson, write } from '../remote/record-call.ts';

const usage =
  'isthmus put COLLECTION KEY VALUE [--dry-run] [--demo PID] [--region NAME | --api URL] [--json]   (VALUE is JSON, or - for standard input)';

export const put: Command = {
  name: 'put',
  summary: 'Write a whole record',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, { ...addressOptions, ...dryRunOption }, usage);
    const [collection = '', key = '', json = ''] = takePositionals(positionals, 3, usage);
    const body = { value: await readJson(json, io) };
    const { target, url } = await findRecord(values, { collection, key }, io);
    await write({ target, call: { method: 'PUT', url, body } }, { ...values, dryRun: values['dry-run'] }, io);
    return 0;
  },
};
