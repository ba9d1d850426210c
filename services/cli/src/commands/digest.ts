/**
 * `isthmus digest`: whether regions hold the same records of a collection. While writes arrive or links lag, digests
 * differ and that is no fault; they are equal once every region has settled what the others wrote. With `--repair`
 * regions that differ fetch from one another what they miss, and are compared again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Target, findTargets } from '../remote/addresses.ts';
import { wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { member, request } from '../remote/request.ts';
import { jsonLine, table } from '../remote/show.ts';
import { type RanTransfer, runTransfers, showTransfers } from '../remote/transfer-run.ts';

const usage =
  'isthmus digest COLLECTION [--repair [--dry-run]] [--demo PID | --admin URL --admin URL …] [--json]';
/** After a repair, what was written meanwhile may still be on its way. */
const settleMs = 10_000;
const pollMs = 500;
/** A region reads all of the collection for it. Node's fetch by itself waits no longer than five minutes. */
const patience = { timeoutMs: 290_000 } as const;

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
    const options = {
      ...addressOptions,
      ...dryRunOption,
      repair: { type: 'boolean', default: false },
    } as const;
    const { values, positionals } = readOptions(args, options, usage);
    const [collection = ''] = takePositionals(positionals, 1, usage);
    const { admin: given, demo, region, repair, 'dry-run': dryRun } = values;
    if (dryRun && !repair) throw wrongUsage(`--dry-run goes with --repair\nusage: ${usage}`);
    const targets = await findTargets({ listener: 'admin', given, demo, region, io });
    if (repair && targets.length < 2)
      throw wrongUsage(
        `--repair compares regions, and one is named: isthmus transfer lets one fetch\nusage: ${usage}`,
      );
    const before = await readDigests(targets, collection);
    const transfers =
      repair && !areEqual(before) ? await runTransfers({ targets, from: undefined, dryRun }, io) : [];
    const after = transfers.length === 0 || dryRun ? before : await settled(targets, collection, io);
    // One alone is equal to nobody.
    const equal = after.length < 2 ? null : areEqual(after);
    io.out(
      values.json
        ? jsonLine({ collection, equal, regions: after, ...(repair ? { dryRun, transfers } : {}) })
        : show(after, transfers),
    );
    return equal === false ? 1 : 0;
  },
};

function readDigests(targets: readonly Target[], collection: string): Promise<readonly RegionDigest[]> {
  return Promise.all(targets.map((target) => readDigest(target, collection)));
}

function areEqual(digests: readonly RegionDigest[]): boolean {
  return new Set(digests.map((one) => one.digest)).size === 1;
}

async function settled(
  targets: readonly Target[],
  collection: string,
  io: CommandIo,
): Promise<readonly RegionDigest[]> {
  const endMs = performance.now() + settleMs;
  for (;;) {
    const digests = await readDigests(targets, collection);
    if (areEqual(digests) || performance.now() > endMs || io.interrupted.aborted) return digests;
    await pause(pollMs, undefined, { signal: io.interrupted }).catch(() => undefined);
  }
}

async function readDigest(target: Target, collection: string): Promise<RegionDigest> {
  const url = `${target.url}/v1/digests/${encodeURIComponent(collection)}`;
  const body = await request({ method: 'GET', url }, patience);
  const [text, records, asOf] = ['digest', 'records', 'asOf'].map((name) => member(body, name));
  if (typeof text !== 'string' || typeof records !== 'number' || typeof asOf !== 'string')
    throw wrongUsage(
      `${target.url} is not the admin address of a region; --admin takes that, not the API's.`,
    );
  return { region: target.region ?? target.url, digest: text, records, asOf };
}

function show(digests: readonly RegionDigest[], transfers: readonly RanTransfer[]): string {
  const rows = digests.map((one) => [one.region, one.digest, String(one.records), one.asOf]);
  const verdict = areEqual(digests) ? 'equal\n' : 'DIFFERENT: look at the lag with isthmus status\n';
  return (
    (transfers.length === 0 ? '' : showTransfers(transfers)) +
    table([['REGION', 'DIGEST', 'RECORDS', 'AS OF'], ...rows]) +
    (digests.length === 1 ? '' : verdict)
  );
}
