/**
 * The page that lists everything the package exports: for each module its opening sentences, for each export its
 * docstring and its declaration, all read from the compiled declarations, so that the page says nothing of its own.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'rolldown/utils';
import { z } from 'zod';
import { root } from '../tidy/tree.ts';

const home = join(root, 'conflict');
const title = '# Everything that is exported';
const introduction = `Made by \`npm run docs -w conflict\` from the docstrings; a test compares it with them.
[README.md](README.md) explains how the parts go together. States and deltas are \`Uint8Array\`s of one format; times are
milliseconds since 1970. Failures are \`ConflictError\`s with the codes that are named here.`;
const manifestShape = z.object({ exports: z.record(z.string(), z.object({ types: z.string() })) });

export interface ApiExport {
  readonly name: string;
  /** Prose of the docstring; empty where there is none. */
  readonly doc: string;
  /** The declaration, with the docstrings of its members; one text for each overload. */
  readonly code: string;
  /** Members of classes and interfaces that have no docstring. */
  readonly silentMembers: readonly string[];
}

export interface ApiModule {
  /** Path of the declarations, as `record/merge`. */
  readonly name: string;
  readonly opening: string;
  readonly exports: readonly ApiExport[];
}

export interface ApiEntry {
  /** What one imports, as `@isthmus/conflict/text`. */
  readonly specifier: string;
  readonly modules: readonly ApiModule[];
}

export function apiEntries(): readonly ApiEntry[] {
  const { exports } = manifestShape.parse(JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')));
  return Object.entries(exports).map(([path, { types }]) => ({
    specifier: `@isthmus/conflict${path.slice(1)}`,
    modules: modulesOf(join(home, types)),
  }));
}

export function apiPage(entries: readonly ApiEntry[] = apiEntries()): string {
  return `${[title, introduction, ...entries.map(entryText)].join('\n\n')}\n`;
}

function entryText({ specifier, modules }: ApiEntry): string {
  const names = modules.flatMap((module) => module.exports.map(({ name }) => name));
  const anchors = names.map((name) => name.toLowerCase());
  const contents = names.map((name, index) => `[${name}](#${anchorOf(anchors, index)})`).join(', ');
  return [`## ${specifier}`, contents, ...modules.map(moduleText)].join('\n\n');
}

/** Headings that differ only in their capitals, as of a type and what makes it, are numbered from the second on. */
function anchorOf(anchors: readonly string[], index: number): string {
  const anchor = anchors[index] ?? '';
  const before = anchors.slice(0, index).filter((other) => other === anchor).length;
  return before === 0 ? anchor : `${anchor}-${before}`;
}

function moduleText({ name, opening, exports }: ApiModule): string {
  return [`**${name}**`, opening, ...exports.map(exportText)].join('\n\n');
}

function exportText({ name, doc, code }: ApiExport): string {
  return [`### ${name}`, doc, `\`\`\`ts\n${code}\n\`\`\``].filter((part) => part !== '').join('\n\n');
}

interface Named {
  readonly file: string;
  readonly names: readonly string[];
}

/** The modules from which an entry exports, in its order; the entry itself where it declares something. */
function modulesOf(entry: string): readonly ApiModule[] {
  const found = bodyOf(entry).flatMap((node): readonly Named[] => {
    if (node.type !== 'ExportNamedDeclaration') return [];
    if (node.source === null) return [{ file: entry, names: [declaredName(node) ?? ''] }];
    const names = node.specifiers.map(({ exported }) => ('name' in exported ? exported.name : ''));
    return [{ file: declarationsAt(entry, node.source.value), names }];
  });
  const files = [...new Set(found.map(({ file }) => file))];
  return files.map((file) =>
    moduleOf(file, new Set(found.flatMap((each) => (each.file === file ? each.names : [])))),
  );
}

function declarationsAt(entry: string, specifier: string): string {
  return join(dirname(entry), specifier.replace(/\.[jt]s$/, '.d.ts'));
}

function moduleOf(file: string, names: ReadonlySet<string>): ApiModule {
  const name = relative(join(home, 'dist'), file).replace(/\.d\.ts$/, '');
  const source = readFileSync(join(home, 'src', `${name}.ts`), 'utf8');
  const opening = proseOf(/^\/\*\*[\s\S]*?\*\//.exec(source)?.[0] ?? '');
  return { name, opening, exports: exportsOf(file, names, opening) };
}

function exportsOf(file: string, names: ReadonlySet<string>, opening: string): readonly ApiExport[] {
  const text = readFileSync(file, 'utf8');
  const found = new Map<string, ApiExport>();
  for (const node of bodyOf(file)) {
    const name = node.type === 'ExportNamedDeclaration' ? declaredName(node) : undefined;
    if (name === undefined || !names.has(name)) continue;
    const before = found.get(name);
    const code = codeOf(text.slice(node.start, node.end));
    const doc = docBefore(text, node.start);
    found.set(name, {
      name,
      doc: before?.doc || (doc === opening ? '' : doc),
      code: before === undefined ? code : `${before.code}\n${code}`,
      silentMembers: silentMembersOf(text.slice(node.start, node.end)),
    });
  }
  return [...found.values()];
}

function bodyOf(file: string) {
  const { program, errors } = parseSync(file, readFileSync(file, 'utf8'), { lang: 'dts' });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  return program.body;
}

type Statement = ReturnType<typeof bodyOf>[number];

function declaredName(node: Extract<Statement, { type: 'ExportNamedDeclaration' }>): string | undefined {
  const { declaration } = node;
  if (declaration === null) return undefined;
  if (declaration.type === 'VariableDeclaration') {
    const id = declaration.declarations[0]?.id;
    return id?.type === 'Identifier' ? id.name : undefined;
  }
  return 'id' in declaration && declaration.id?.type === 'Identifier' ? declaration.id.name : undefined;
}

/** The docstring that ends right before a declaration. */
function docBefore(text: string, start: number): string {
  const before = text.slice(0, start).trimEnd();
  if (!before.endsWith('*/')) return '';
  return proseOf(before.slice(before.lastIndexOf('/**')));
}

function proseOf(comment: string): string {
  const lines = comment.replace(/^\/\*\*/, '').replace(/\*\/$/, '');
  return lines.replaceAll(/^[ \t]*\* ?/gm, '').trim();
}

function codeOf(declaration: string): string {
  return declaration
    .replace(/^export (?:declare )?/, '')
    .replace(/^ *#private;\n/m, '')
    .replaceAll(/^(?: {4})+/gm, (indent) => ' '.repeat(indent.length / 2));
}

/** Members at the first level, one to a line as the compiler writes them; the word that tells a type needs no more. */
function silentMembersOf(declaration: string): readonly string[] {
  const lines = declaration.split('\n');
  if (!/\b(?:class|interface) /.test(lines[0] ?? '')) return [];
  return lines.flatMap((line, index) => {
    const name = /^ {4}(?!readonly type: ')(?:static |readonly |override |get )*([A-Za-z]+)[?<(:]/.exec(
      line,
    )?.[1];
    const isDocumented = lines[index - 1]?.endsWith('*/') ?? false;
    return name === undefined || isDocumented ? [] : [name];
  });
}
