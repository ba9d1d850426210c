/**
 * `isthmus region reissue FILE`: issues the rows of an export again, as ordinary edits of the region that is named. A row
 * that was done before is left alone, so trying again does no harm. Exit code 1 where rows are left: refused, or with
 * a counter whose beginning nobody knows, which `--uncertain` takes for nothing.
 */
import { findOne } from '../remote/addresses.ts';
import { type ExitCode, wrongUsage } from '../remote/cli-error.ts';
import type { CommandIo } from '../remote/command.ts';
import { readExport } from '../remote/export-file.ts';
import { member, request } from '../remote/request.ts';
import { jsonLine, table, textOf } from '../remote/show.ts';
import type { RegionArguments } from './region.ts';

const maxRows = 100;
const maxBytes = 4 * 1024 * 1024;

export async function reissueRegion({ names, values }: RegionArguments, io: CommandIo): Promise<ExitCode> {
  const [path, ...rest] = names;
  if (path === undefined || rest.length > 0)
    throw wrongUsage(
      'usage: isthmus region reissue FILE [--dry-run] [--uncertain] [--admin URL | --demo PID --region REGION]',
    );
  const { rows } = await readExport(path);
  const { admin: given, demo, region, uncertain } = values;
  const { url } = await findOne({ listener: 'admin', given, demo, region, io });
  const call = `${url}/v1/reissue${values['dry-run'] ? '?dryRun=true' : ''}`;
  const results: unknown[] = [];
  for (const part of parts(rows)) {
    if (io.interrupted.aborted) break;
    const body = { rows: part.map(rowOf), uncertain };
    const answer = member(await request({ method: 'POST', url: call, body }), 'results');
    if (Array.isArray(answer)) results.push(...answer);
    io.progress(`${results.length} of ${rows.length} records`);
  }
  io.progress('');
  return print({ results, rows, dryRun: values['dry-run'] }, values.json, io);
}

/** What a region takes of a row. */
function rowOf(row: unknown) {
  const [id, collection, key] = [member(row, 'id'), member(row, 'collection'), member(row, 'key')];
  const [delta, base, needsBase] = [member(row, 'delta'), member(row, 'base'), member(row, 'needsBase')];
  return { id, actor: member(row, 'actor'), collection, key, delta, base, needsBase };
}

/** At least one row, and then as many as one request takes. */
function parts(rows: readonly unknown[]): readonly (readonly unknown[])[] {
  const found: unknown[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const part = found.at(-1);
    const size = JSON.stringify(rowOf(row)).length;
    bytes += size;
    if (part !== undefined && part.length < maxRows && bytes <= maxBytes) part.push(row);
    else {
      found.push([row]);
      bytes = size;
    }
  }
  return found;
}

interface Done {
  readonly results: readonly unknown[];
  readonly rows: readonly unknown[];
  readonly dryRun: boolean;
}

const outcomes = ['issued', 'nothing-left', 'done-before', 'uncertain', 'refused'] as const;

function print({ results, rows, dryRun }: Done, json: boolean, io: CommandIo): ExitCode {
  const counts = Object.fromEntries(
    outcomes.map((name) => [name, results.filter((result) => member(result, 'outcome') === name).length]),
  );
  const left = results.filter((result) =>
    ['uncertain', 'refused'].includes(textOf(member(result, 'outcome'), '')),
  );
  const named = left.map((result) => {
    const row = rows.find((each) => member(each, 'id') === member(result, 'id'));
    const why = textOf(
      member(result, 'detail'),
      'a counter in it began before, and nobody knows at which number',
    );
    return { collection: textOf(member(row, 'collection'), ''), key: textOf(member(row, 'key'), ''), why };
  });
  const lines = table(outcomes.map((name) => [dryRun ? `would be ${name}` : name, String(counts[name])]));
  const leftLines = named.map(({ collection, key, why }) => `left: ${collection} ${key}: ${why}\n`).join('');
  io.out(json ? jsonLine({ dryRun, counts, left: named }) : lines + leftLines);
  return left.length === 0 && results.length === rows.length ? 0 : 1;
}
