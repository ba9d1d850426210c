/**
 * `isthmus region export FILE`: writes down what a retired region acknowledged and its survivors do not keep, so that it
 * can be issued again. What is too much for one answer is written down in parts, as `FILE.1-of-4`, each an export of its
 * own. Exit code 1 where the region's log has holes: the files then hold less than was written.
 */
import { rm } from 'node:fs/promises';
import { type IncomingMessage, get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { text as allOf } from 'node:stream/consumers';
import { findOne } from '../remote/addresses.ts';
import { CliError, type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { CommandIo } from '../remote/command.ts';
import { parseExport, writeExport } from '../remote/export-file.ts';
import { member, parseBody, queryOf, refusal } from '../remote/request.ts';
import { jsonLine, textOf } from '../remote/show.ts';
import type { RegionArguments } from './region.ts';

export async function exportRegion({ names, values }: RegionArguments, io: CommandIo): Promise<ExitCode> {
  const [path, ...rest] = names;
  if ((path === undefined && !values['dry-run']) || rest.length > 0)
    throw wrongUsage(
      'usage: isthmus region export FILE [--dry-run] [--admin URL | --demo PID --region REGION]',
    );
  const { admin: given, demo, region } = values;
  const { url } = await findOne({ listener: 'admin', given, demo, region, io });
  const exported = await inParts(url, values['dry-run'] ? null : (path ?? null), io);
  return print(exported, { json: values.json, io });
}

const mostParts = 1024;

/** One part of it. */
interface Exported {
  readonly head: unknown;
  /** `null`: nothing was written. */
  readonly file: string | null;
}

/** In as few parts as the region has memory for, and twice as many at each attempt. */
async function inParts(url: string, path: string | null, io: CommandIo): Promise<readonly Exported[]> {
  for (let of = 1; ; of *= 2) {
    const parts: Exported[] = [];
    while (parts.length < of) {
      if (of > 1) io.progress(`part ${parts.length + 1} of ${of}`);
      const part = await exportPart(url, path, { number: parts.length + 1, of, signal: io.interrupted });
      if (part === null) break;
      parts.push(part);
    }
    io.progress('');
    if (parts.length === of) return parts;
    for (const { file } of parts) if (file !== null) await rm(file, { force: true });
  }
}

interface Wanted {
  readonly number: number;
  readonly of: number;
  readonly signal: AbortSignal;
}

/** `null`: it is too large for one answer. */
async function exportPart(url: string, path: string | null, wanted: Wanted): Promise<Exported | null> {
  const { number, of, signal } = wanted;
  const part = of === 1 ? null : `${number}/${of}`;
  const query = queryOf({ part, dryRun: path === null ? 'true' : null });
  const { status, text } = await download(`${url}/v1/unreplicated${query}`, signal);
  const body: unknown = status < 400 && path !== null ? null : parseBody(text);
  if (member(body, 'code') === 'export-too-large' && of < mostParts) return null;
  if (status >= 400) throw refusal({ status, body });
  if (path === null && typeof member(body, 'records') !== 'number')
    throw wrongUsage(`${url} is not the admin address of a region; --admin takes that, not the API's.`);
  if (path === null) return { head: body, file: null };
  const { head } = parseExport(text, 'the answer');
  const file = of === 1 ? path : `${path}.${number}-of-${of}`;
  await writeExport(file, text);
  return { head, file };
}

/** As long as it takes: a region may have much to read before its first byte, and `fetch` waits five minutes for that. */
async function download(
  url: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const get = url.startsWith('https:') ? getHttps : getHttp;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { signal }, resolve).once('error', reject);
    });
    return { status: response.statusCode ?? 0, text: await allOf(response) };
  } catch (cause) {
    if (signal.aborted) throw new CliError(1, 'Interrupted; the export is not whole.', { cause });
    throw new CliError(
      3,
      `${new URL(url).origin} cannot be reached. Is the region running, and the address right?`,
      {
        cause,
      },
    );
  }
}

/** A hole is in no part: each names all of them. */
function print(
  exported: readonly Exported[],
  { json, io }: { readonly json: boolean; readonly io: CommandIo },
): ExitCode {
  const head = exported[0]?.head;
  const found = member(head, 'holes');
  const holes = Array.isArray(found) ? found.map(String) : [];
  const files = exported.flatMap(({ file }) => file ?? []);
  const records = exported.reduce((sum, part) => sum + Number(member(part.head, 'records') ?? 0), 0);
  const count = `${records} records with writes that ${textOf(member(head, 'survivor'), 'no survivor')} does not keep`;
  const summary = files.length === 0 ? `${count}\n` : `${count}, written to ${files.join(', ')}\n`;
  const [region, survivor] = [member(head, 'region'), member(head, 'survivor')];
  const file = files.length === 1 ? files[0] : null;
  const shown = { region, records, survivor, holes, file, files };
  io.out(json ? jsonLine(shown) : summary + holes.map((hole) => `missing: ${hole}\n`).join(''));
  return holes.length === 0 ? 0 : 1;
}
