/**
 * The examples of a page as programs. All blocks of TypeScript of a page, or of one section of it, make up one
 * program, in the order in which a reader meets them. What a `console.log` prints stands in the comment behind it, or
 * in the comment lines below it; the program has to print just that.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Project } from './packed-package.ts';

export interface DocProgram {
  readonly code: string;
  readonly blocks: readonly string[];
}

/** Without a section the whole page. */
export function programOf(page: string, section?: string): DocProgram {
  const text = readFileSync(page, 'utf8');
  const part = section === undefined ? text : sectionsOf(text).get(section);
  if (part === undefined) throw new Error(`${page} has no section "${section}"`);
  const blocks = [...part.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
  if (blocks.length === 0) throw new Error(`${page} has no examples in "${section ?? 'all of it'}"`);
  return { blocks, code: blocks.join('\n') };
}

function sectionsOf(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part] as const));
}

/** The languages of all blocks of a page, so that none is passed over. */
export function languagesOf(page: string): readonly string[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```(\S*)\n[\s\S]*?^```$/gm)].map((match) => match[1] ?? '');
}

/** What each `console.log` prints according to its comment, spaces and line breaks taken together. */
export function expectedOf({ code }: DocProgram): readonly string[] {
  const expected: string[][] = [];
  let open = false;
  for (const line of code.split('\n')) {
    const printed = /\bconsole\.log\(.*\);(?: \/\/ (.*))?$/.exec(line);
    const comment = /^\s*\/\/ (.*)$/.exec(line)?.[1];
    if (printed !== null) expected.push(printed[1] === undefined ? [] : [printed[1]]);
    else if (open && comment !== undefined) expected.at(-1)?.push(comment);
    open = printed !== null || (open && comment !== undefined);
  }
  return expected.map((lines) => plain(lines.join(' ')));
}

/** Runs a compiled program with Node and returns what each `console.log` printed. */
export async function printedBy(
  project: Project,
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  writeFileSync(join(project.folder, 'print.mjs'), printer);
  const output = await project.node(['--import', './print.mjs', `${name}.js`], environment);
  return output
    .split('\0')
    .slice(0, -1)
    .map((text) => plain(text));
}

const printer = `
  import { format } from 'node:util';
  console.log = (...values) => process.stdout.write(format(...values) + '\\0');
`;

function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
