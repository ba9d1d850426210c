/**
 * `isthmus transfer`: regions compare all their records with those of their peers and fetch what they miss, outside the
 * log. Regions do that by themselves where they find something missing; this asks for it. With `--dry-run` they only
 * count what differs, of which some may merely be on its way.
 */
import { findTargets } from '../remote/addresses.ts';
import { wrongUsage } from '../remote/cli-error.ts';
import type { Command } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { jsonLine } from '../remote/show.ts';
import { areDone, runTransfers, showTransfers } from '../remote/transfer-run.ts';

const usage =
  'isthmus transfer [--from PEER] [--dry-run] [--demo PID] [--region NAME | --admin URL …] [--json]';

export const transfer: Command = {
  name: 'transfer',
  summary: 'Let regions fetch from their peers what they miss',
  usage,
  run: async (args, io) => {
    const options = { ...addressOptions, ...dryRunOption, from: { type: 'string' } } as const;
    const { values, positionals } = readOptions(args, options, usage);
    takePositionals(positionals, 0, usage);
    const { admin: given, demo, region, from } = values;
    const targets = await findTargets({ listener: 'admin', given, demo, region, io });
    const asked = targets.filter((target) => target.region === null || target.region !== from);
    if (asked.length === 0) throw wrongUsage(`No region is left to ask: ${from} fetches nothing from itself`);
    const dryRun = values['dry-run'];
    const transfers = await runTransfers({ targets: asked, from, dryRun }, io);
    io.out(values.json ? jsonLine({ dryRun, transfers }) : showTransfers(transfers));
    return areDone(transfers) ? 0 : 1;
  },
};
