/**
 * `isthmus sweep`: regions compare all their records with those of one peer, or of all, as they do by themselves all the
 * time at a low rate. It is asked for and not waited for, because a sweep of many records takes long and goes on
 * whoever asks; what it proves is `verifiedThrough` and `diverged` of the peer in the status. With `--dry-run` a region
 * only says with whom it would be.
 */
import { type Target, findTargets } from '../remote/addresses.ts';
import { wrongUsage } from '../remote/cli-error.ts';
import type { Command } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions } from '../remote/options.ts';
import { member, queryOf, request } from '../remote/request.ts';
import { jsonLine, table } from '../remote/show.ts';

const usage = 'isthmus sweep [PEER] [--dry-run] [--demo PID] [--region NAME | --admin URL …] [--json]';

interface Asked {
  readonly region: string;
  readonly peers: readonly string[];
}

export const sweep: Command = {
  name: 'sweep',
  summary: 'Let regions compare all their records with those of their peers now',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, { ...addressOptions, ...dryRunOption }, usage);
    const [peer, ...rest] = positionals;
    if (rest.length > 0) throw wrongUsage(`${positionals.length} arguments, 1 wanted\nusage: ${usage}`);
    const { admin: given, demo, region, 'dry-run': dryRun } = values;
    const targets = await findTargets({ listener: 'admin', given, demo, region, io });
    const others = targets.filter((target) => target.region === null || target.region !== peer);
    if (others.length === 0) throw wrongUsage(`No region is left to ask: ${peer} has no sweep with itself`);
    const regions = await Promise.all(others.map((target) => ask(target, { peer, dryRun })));
    io.out(values.json ? jsonLine({ dryRun, regions }) : show(regions));
    const what = 'Asked; verifiedThrough and diverged in isthmus status --json say what comes of it';
    io.note(`${dryRun ? 'Nothing was asked for' : what}\n`);
    return 0;
  },
};

async function ask(
  target: Target,
  { peer, dryRun }: { readonly peer: string | undefined; readonly dryRun: boolean },
): Promise<Asked> {
  const query = queryOf({ dryRun: String(dryRun), peer: peer ?? null });
  const peers = member(await request({ method: 'POST', url: `${target.url}/v1/sweep${query}` }), 'peers');
  return { region: target.region ?? target.url, peers: Array.isArray(peers) ? peers.map(String) : [] };
}

function show(regions: readonly Asked[]): string {
  const rows = regions.map(({ region, peers }) => [
    region,
    peers.length === 0 ? '(no peers)' : peers.join(', '),
  ]);
  return table([['REGION', 'PEERS'], ...rows]);
}
