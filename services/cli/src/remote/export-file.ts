/**
 * The file that `isthmus region export` writes and `isthmus region reissue` reads: JSON lines as the region sends them,
 * a head, a row for each record and an end. A file without its end is not read, because nobody knows what it lacks. It
 * holds records in clear text, so only its owner may read it.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { CliError } from './cli-error.ts';
import { member } from './request.ts';

export interface ExportFile {
  readonly head: unknown;
  readonly rows: readonly unknown[];
}

const onlyOwner = 0o600;

/** Takes the place of an older one only once all of it has come. */
export async function writeExport(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await writeFile(partial, text, { mode: onlyOwner });
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    throw new CliError(1, `${path} cannot be written`, { cause });
  }
}

/** Throws `CliError` where the text is no whole export. */
export function parseExport(text: string, name: string): ExportFile {
  const lines = text.split('\n').filter((line) => line !== '');
  const [head, ...rest] = lines.map((line) => parseLine(line, name));
  const end = rest.pop();
  if (member(head, 'kind') !== 'export' || member(head, 'version') !== 1)
    throw new CliError(2, `${name} is no export of version 1`);
  if (member(end, 'kind') !== 'end' || member(end, 'records') !== rest.length)
    throw new CliError(1, `${name} ends too early: export it again`);
  return { head, rows: rest };
}

export async function readExport(path: string): Promise<ExportFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new CliError(2, `${path} cannot be read`, { cause });
  }
  return parseExport(text, path);
}

function parseLine(line: string, name: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new CliError(2, `${name} is not made of JSON lines`, { cause });
  }
}
