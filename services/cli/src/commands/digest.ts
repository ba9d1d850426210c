/**
 * `isthmus digest`: whether regions hold the same records of a collection. While writes arrive or links lag, digests
 * differ and that is no fault; they are equal once every region has settled what the others wrote.
 */
import { type Target, findTargets } from '../remote/addresses.ts';
import { wrongUsage } from '../remote/cli-error.ts';
import type { Command } from '../remote/command.ts';
import { addressOptions, readOptions, takePositionals } from '../remote/options.ts';
import { member, request } from '../remote/request.ts';
import { jsonLine, table } from '../remote/show.ts';

const usage = 'isthmus digest COLLECTION [--demo PID | --admin URL --admin URL …] [--json]';

interface RegionDigest {
  readonly region: string;
  readonly digest: string;
  readonly records: number;
  readonly asOf: string;
}

export const digest: Command = {
  name: 'digest',
  summary: 'Compare what regions hold of a collection',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, addressOptions, usage);
    const [collection = ''] = takePositionals(positionals, 1, usage);
    const { admin: given, demo, region } = values;
    const targets = await findTargets({ listener: 'admin', given, demo, region, io });
    const digests = await Promise.all(targets.map((target) => readDigest(target, collection)));
    const equal = new Set(digests.map((one) => one.digest)).size === 1;
    io.out(values.json ? jsonLine({ collection, equal, regions: digests }) : show(digests, equal));
    return equal ? 0 : 1;
  },
};

async function readDigest(target: Target, collection: string): Promise<RegionDigest> {
  const url = `${target.url}/v1/digests/${encodeURIComponent(collection)}`;
  const body = await request({ method: 'GET', url });
  const [text, records, asOf] = ['digest', 'records', 'asOf'].map((name) => member(body, name));
  if (typeof text !== 'string' || typeof records !== 'number' || typeof asOf !== 'string')
    throw wrongUsage(
      `${target.url} is not the admin address of a region; --admin takes that, not the API's.`,
    );
  return { region: target.region ?? target.url, digest: text, records, asOf };
}

function show(digests: readonly RegionDigest[], equal: boolean): string {
  const rows = digests.map((one) => [one.region, one.digest, String(one.records), one.asOf]);
  const verdict =
    digests.length === 1 ? '' : equal ? 'equal\n' : 'DIFFERENT: look at the lag with isthmus status\n';
  return table([['REGION', 'DIGEST', 'RECORDS', 'AS OF'], ...rows]) + verdict;
}
