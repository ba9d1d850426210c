/**
 * `isthmus region`: shows how a region stands, and hands each action to its own file.
 */
import { wrongUsage } from '../remote/cli-error.ts';
import type { Command } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions } from '../remote/options.ts';
import { drainRegion, joinRegion, showRegion } from './region-drain.ts';
import { exportRegion } from './region-export.ts';
import { refillRegion } from './region-refill.ts';
import { reissueRegion } from './region-reissue.ts';
import { retireRegion } from './region-retire.ts';

const usage =
  'isthmus region [drain | join | refill [--from REGION] [--export FILE] [--accept-loss LIVES] | retire NAME [--heir REGION] | export FILE | reissue FILE [--uncertain]] [--dry-run] [--demo PID | --admin URL …] [--region REGION] [--json]';
const options = {
  ...addressOptions,
  ...dryRunOption,
  uncertain: { type: 'boolean', default: false },
  heir: { type: 'string' },
  from: { type: 'string' },
  export: { type: 'string' },
  'accept-loss': { type: 'string' },
} as const;

/** What follows the action. */
export interface RegionArguments {
  readonly names: readonly string[];
  readonly values: ReturnType<typeof readOptions<typeof options>>['values'];
}

export const region: Command = {
  name: 'region',
  summary: 'Drain, join or fill a region anew; retire one that is gone, and save what only it has',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, options, usage);
    const [action, ...names] = positionals;
    const [name] = names;
    if (action === undefined) return showRegion({ names, values }, io);
    if (action === 'drain') return drainRegion({ names, values }, io);
    if (action === 'join') return joinRegion({ names, values }, io);
    if (action === 'refill') return refillRegion({ names, values }, io);
    if (action === 'retire' && name !== undefined && names.length === 1)
      return retireRegion(name, values, io);
    if (action === 'export') return exportRegion({ names, values }, io);
    if (action === 'reissue') return reissueRegion({ names, values }, io);
    throw wrongUsage(`usage: ${usage}`);
  },
};
