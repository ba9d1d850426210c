/**
 * `isthmus drain`: one process takes no more writes and is not ready any more, so that callers are led elsewhere before
 * it is stopped. It serves reads, replicates, and stays like that until it is started anew, so the process has to be
 * named. With `--dry-run` it only says whether the process is ready. A whole region is `isthmus region drain`.
 */
import { type Target, findOne, placeOf } from '../remote/addresses.ts';
import type { Command } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { request, send } from '../remote/request.ts';
import { jsonLine } from '../remote/show.ts';

const usage = 'isthmus drain [--dry-run] [--admin URL | --demo PID --region REGION] [--json]';

export const drain: Command = {
  name: 'drain',
  summary: 'Let one process refuse writes and be not ready, before it is stopped',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, { ...addressOptions, ...dryRunOption }, usage);
    takePositionals(positionals, 0, usage);
    const { admin: given, demo, region, 'dry-run': dryRun } = values;
    const target = await findOne({ listener: 'admin', given, demo, region, io });
    const isReady = await isReadyNow(target);
    if (!dryRun) await request({ method: 'POST', url: `${target.url}/v1/drain` });
    const shown = { dryRun, wasReady: isReady, draining: !dryRun };
    const was = isReady ? 'it was ready' : 'it was not ready before';
    const sentence = dryRun ? `would be drained; it is ${isReady ? 'ready' : 'not ready'}` : `drains; ${was}`;
    io.out(values.json ? jsonLine(shown) : `${sentence}\n`);
    io.note(`${dryRun ? 'Nothing was done' : 'Done'} in ${placeOf(target)}\n`);
    return 0;
  },
};

async function isReadyNow({ url }: Target): Promise<boolean> {
  return (await send({ method: 'GET', url: `${url}/readyz` })).status === 200;
}
