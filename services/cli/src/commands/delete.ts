/** `isthmus delete`: removes a record; also done where it was absent. */
import type { Command } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { findRecord, write } from '../remote/record-call.ts';

const usage = 'isthmus delete COLLECTION KEY [--dry-run] [--demo PID] [--region NAME | --api URL] [--json]';

export const deleteRecord: Command = {
  name: 'delete',
  summary: 'Delete a record',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, { ...addressOptions, ...dryRunOption }, usage);
    const [collection = '', key = ''] = takePositionals(positionals, 2, usage);
    const { target, url } = await findRecord(values, { collection, key }, io);
    await write({ target, call: { method: 'DELETE', url } }, { ...values, dryRun: values['dry-run'] }, io);
    return 0;
  },
};
