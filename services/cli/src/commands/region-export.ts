/**
 * `isthmus region export FILE`: writes down what a retired region acknowledged and its survivors do not keep, so that it
 * can be issued again. Exit code 1 where the region's log has holes: the file then holds less than was written.
 */
import { findTarget } from '../remote/addresses.ts';
import { CliError, type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { CommandIo } from '../remote/command.ts';
import { parseExport, writeExport } from '../remote/export-file.ts';
import { member, refusal, request } from '../remote/request.ts';
import { jsonLine, textOf } from '../remote/show.ts';
import type { RegionArguments } from './region.ts';

export async function exportRegion({ names, values }: RegionArguments, io: CommandIo): Promise<ExitCode> {
  const [path, ...rest] = names;
  if ((path === undefined && !values['dry-run']) || rest.length > 0)
    throw wrongUsage(
      'usage: isthmus region export FILE [--dry-run] [--admin URL | --demo PID --region REGION]',
    );
  const { admin: given, demo, region } = values;
  const { url } = await findTarget({ listener: 'admin', given, demo, region, io });
  if (path === undefined || values['dry-run']) {
    const found = await request({ method: 'GET', url: `${url}/v1/unreplicated?dryRun=true` });
    return print(found, null, { json: values.json, io });
  }
  const text = await download(`${url}/v1/unreplicated`, io.interrupted);
  const { head } = parseExport(text, 'the answer');
  await writeExport(path, text);
  return print(head, path, { json: values.json, io });
}

/** As long as it takes: a region may have much to read. */
async function download(url: string, signal: AbortSignal): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    throw new CliError(
      3,
      `${new URL(url).origin} cannot be reached. Is the region running, and the address right?`,
      {
        cause,
      },
    );
  }
  const text = await response.text();
  if (response.status < 400) return text;
  throw refusal({ status: response.status, body: JSON.parse(text) });
}

function print(
  head: unknown,
  path: string | null,
  { json, io }: { readonly json: boolean; readonly io: CommandIo },
): ExitCode {
  const found = member(head, 'holes');
  const holes = Array.isArray(found) ? found.map(String) : [];
  const count = `${textOf(member(head, 'records'), '0')} records with writes that ${textOf(member(head, 'survivor'), 'no survivor')} does not keep`;
  const summary = path === null ? `${count}\n` : `${count}, written to ${path}\n`;
  const region = member(head, 'region');
  const shown = {
    region,
    records: member(head, 'records'),
    survivor: member(head, 'survivor'),
    holes,
    file: path,
  };
  io.out(json ? jsonLine(shown) : summary + holes.map((hole) => `missing: ${hole}\n`).join(''));
  return holes.length === 0 ? 0 : 1;
}
