/** `isthmus patch`: the edits are those of the API: set, clear, increment and so on. */
import type { Command } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { findRecord, readJson, write } from '../remote/record-call.ts';

const usage =
  'isthmus patch COLLECTION KEY EDITS [--dry-run] [--demo PID] [--region NAME | --api URL] [--json]   (EDITS is JSON, or - for standard input)';

export const patch: Command = {
  name: 'patch',
  summary: 'Edit fields of a record',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, { ...addressOptions, ...dryRunOption }, usage);
    const [collection = '', key = '', json = ''] = takePositionals(positionals, 3, usage);
    const body = await readJson(json, io);
    const { target, url } = await findRecord(values, { collection, key }, io);
    await write(
      { target, call: { method: 'PATCH', url, body } },
      { ...values, dryRun: values['dry-run'] },
      io,
    );
    return 0;
  },
};
