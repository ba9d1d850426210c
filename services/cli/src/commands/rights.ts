/**
 * `isthmus rights`: who holds what of a record's bounded counters. `claim` takes over what is stranded with regions that
 * are gone for good, in the one region that may; who that is, the first form says. Claim only after what such a region
 * wrote alone was issued again, because afterwards the two cannot be told apart.
 */
import { type Target, findOne, findTarget, placeOf } from '../remote/addresses.ts';
import { type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { addressOptions, dryRunOption, readOptions } from '../remote/options.ts';
import { member, request } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';

const usage =
  'isthmus rights show COLLECTION KEY | claim COLLECTION KEY FIELD [--dry-run] [--admin URL | --demo PID --region REGION] [--json]';

export const rights: Command = {
  name: 'rights',
  summary: 'Show who holds rights of a bounded counter, and claim stranded ones',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, { ...addressOptions, ...dryRunOption }, usage);
    const [action, collection, key, field, ...rest] = positionals;
    const isShow = action === 'show' && field === undefined;
    const isClaim = action === 'claim' && field !== undefined && rest.length === 0;
    if (collection === undefined || key === undefined || !(isShow || isClaim))
      throw wrongUsage(`usage: ${usage}`);
    const { admin: given, demo, region, json } = values;
    const find = field === undefined ? findTarget : findOne;
    const target = await find({ listener: 'admin', given, demo, region, io });
    const url = `${target.url}/v1/rights/${encodeURIComponent(collection)}/${encodeURIComponent(key)}`;
    if (field === undefined) return show(await request({ method: 'GET', url }), target, { json, io });
    const query = values['dry-run'] ? '?dryRun=true' : '';
    const answer = await request({ method: 'POST', url: `${url}/claim${query}`, body: { field } });
    return claimed(answer, target, { json, io });
  },
};

interface Output {
  readonly json: boolean;
  readonly io: CommandIo;
}

function show(answer: unknown, target: Target, { json, io }: Output): ExitCode {
  const rows = listIn(answer, 'fields').flatMap((field) =>
    listIn(field, 'holders').map((holder) => [
      textOf(member(field, 'field'), ''),
      textOf(member(holder, 'actor'), ''),
      textOf(member(holder, 'rights'), '0'),
      member(holder, 'stranded') === true ? 'stranded' : '',
      textOf(member(holder, 'claimableBy'), ''),
    ]),
  );
  io.out(json ? jsonLine(answer) : table([['FIELD', 'ACTOR', 'RIGHTS', 'STATE', 'CLAIMABLE BY'], ...rows]));
  io.note(`Read in ${placeOf(target)}\n`);
  return 0;
}

/** Exit code 1: there was nothing that this region may claim. */
function claimed(answer: unknown, { url, region }: Target, { json, io }: Output): ExitCode {
  const claims = listIn(answer, 'claims');
  const verb = member(answer, 'dryRun') === true ? 'would be claimed' : 'claimed';
  const lines = claims.map(
    (claim) =>
      `${textOf(member(claim, 'rights'), '0')} rights of ${textOf(member(claim, 'actor'), '')} ${verb}\n`,
  );
  const nothing = `nothing is stranded here that ${region ?? url} may claim\n`;
  io.out(json ? jsonLine(answer) : claims.length === 0 ? nothing : lines.join(''));
  return claims.length === 0 ? 1 : 0;
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
}
