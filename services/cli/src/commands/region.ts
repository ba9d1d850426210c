/**
 * `isthmus region`: what is done to a region that is gone. `retire NAME` says for good that it is. All survivors have to
 * be named and reachable: first each of them closes the region, so that nothing more is taken of it, then they agree on
 * how far its changes are kept, and fetch from each other what they lack of that. It cannot be taken back, and begun
 * twice it goes on where it was. What it wrote beyond that is exported from it, should it come back, and issued again
 * elsewhere.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Target, findTargets } from '../remote/addresses.ts';
import { CliError, type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions } from '../remote/options.ts';
import { member, request } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';
import { exportRegion } from './region-export.ts';
import { reissueRegion } from './region-reissue.ts';

const usage =
  'isthmus region retire NAME [--heir REGION] | export FILE | reissue FILE [--uncertain] [--dry-run] [--demo PID | --admin URL …] [--region REGION] [--json]';
const options = {
  ...addressOptions,
  ...dryRunOption,
  uncertain: { type: 'boolean', default: false },
  heir: { type: 'string' },
} as const;
const pollMs = 300;

/** What follows the action. */
export interface RegionArguments {
  readonly names: readonly string[];
  readonly values: ReturnType<typeof readOptions<typeof options>>['values'];
}

export const region: Command = {
  name: 'region',
  summary: 'Retire a region that is gone for good, and save what only it has',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, options, usage);
    const [action, ...names] = positionals;
    if (action === 'retire') return retire({ names, values }, io);
    if (action === 'export') return exportRegion({ names, values }, io);
    if (action === 'reissue') return reissueRegion({ names, values }, io);
    throw wrongUsage(`usage: ${usage}`);
  },
};

async function retire({ names, values }: RegionArguments, io: CommandIo): Promise<ExitCode> {
  const [name, ...rest] = names;
  if (name === undefined || rest.length > 0) throw wrongUsage(`usage: ${usage}`);
  const { admin: given, demo } = values;
  const found = await findTargets({ listener: 'admin', given, demo, region: undefined, io });
  const survivors = found.filter((target) => target.region !== name);
  const closed = await Promise.all(survivors.map((target) => close(target, name, values['dry-run'])));
  requireAll(closed);
  if (values['dry-run'])
    return print(
      closed.map(({ region: of }) => ({ region: of, state: 'would be asked' })),
      values.json,
      io,
    );
  const positions = Object.fromEntries(closed.map(({ region: of, position }) => [of, position]));
  const url = ({ url: admin }: Target) => `${admin}/v1/regions/${encodeURIComponent(name)}/retire`;
  const body = { positions, heir: values.heir };
  await Promise.all(survivors.map((target) => request({ method: 'POST', url: url(target), body })));
  return print(await settled(survivors, name, io), values.json, io);
}

interface Closed {
  readonly region: string;
  readonly position: string;
  readonly survivors: readonly string[];
}

async function close({ url }: Target, name: string, dryRun: boolean): Promise<Closed> {
  const query = dryRun ? '?dryRun=true' : '';
  const answer = await request({
    method: 'POST',
    url: `${url}/v1/regions/${encodeURIComponent(name)}/close${query}`,
  });
  const named = member(answer, 'survivors');
  return {
    region: textOf(member(answer, 'region'), url),
    position: textOf(member(answer, 'position'), ''),
    survivors: Array.isArray(named) ? named.map(String) : [],
  };
}

/** The regions refuse as well, but each only after it was closed there. */
function requireAll(closed: readonly Closed[]): void {
  const asked = new Set(closed.map(({ region: of }) => of));
  const missing = new Set(closed.flatMap(({ survivors }) => survivors).filter((each) => !asked.has(each)));
  if (missing.size === 0) return;
  throw new CliError(2, `Every survivor has to agree; name ${[...missing].join(', ')} with --admin as well.`);
}

interface Standing {
  readonly region: string;
  readonly state: string;
}

async function settled(
  survivors: readonly Target[],
  name: string,
  io: CommandIo,
): Promise<readonly Standing[]> {
  for (;;) {
    const standings = await Promise.all(survivors.map((target) => look(target, name)));
    if (io.interrupted.aborted || standings.every(({ state }) => state === 'retired')) return standings;
    io.progress(standings.map(({ region: of, state }) => `${of}: ${state}`).join('; '));
    await pause(pollMs, undefined, { signal: io.interrupted }).catch(() => undefined);
  }
}

async function look({ url, region: of }: Target, name: string): Promise<Standing> {
  const all = member(await request({ method: 'GET', url: `${url}/v1/retired` }), 'retired');
  const found: unknown = Array.isArray(all) ? all.find((each) => member(each, 'region') === name) : undefined;
  return { region: of ?? url, state: textOf(member(found, 'state'), 'unknown') };
}

function print(standings: readonly Standing[], json: boolean, io: CommandIo): ExitCode {
  io.progress('');
  const rows = standings.map(({ region: of, state }) => [of, state]);
  io.out(json ? jsonLine({ regions: standings }) : table([['REGION', 'STATE'], ...rows]));
  return 0;
}
