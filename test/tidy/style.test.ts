import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { filesOf, importsOf, isTest, root } from './tree.ts';
import type { SourceFile } from './tree.ts';

const sources = filesOf('.ts').filter((file) => !isTest(file));
const texts = filesOf('.ts', '.md', '.json', '.yaml', '.yml', '.js', '.mjs', '.sql', '.xml', '.sh').filter(
  (file) => !file.path.endsWith('package-lock.json') && !file.path.startsWith('test/tidy/'),
);

/** Longest allowed file, and the reasons of those that are longer. */
const maxLines = 400;
const longerForAReason: Readonly<Record<string, number>> = {};

function linesWith(pattern: RegExp, files: readonly SourceFile[] = texts): readonly string[] {
  return files.flatMap((file) =>
    file.text
      .split('\n')
      .map((line, index) => ({ line, at: `${file.path}:${index + 1}` }))
      .filter(({ line }) => pattern.test(line))
      .map(({ line, at }) => `${at}: ${line.trim().slice(0, 100)}`),
  );
}

test('source files stay under their size', () => {
  const long = sources
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length }))
    .filter(({ path, lines }) => lines > (longerForAReason[path] ?? maxLines));
  expect(long).toEqual([]);
});

test('no words of unfinished work', () => {
  expect(linesWith(/\b(?:todo|fixme|xxx|for now|not implemented|phase \d|work in progress)\b/i)).toEqual([]);
});

test('no machine paths and no registry hosts', () => {
  expect(linesWith(/(?:^|[\s'"`(=])\/(?:work|home|root|Users)\/[a-z.]/i)).toEqual([]);
  const lock = filesOf('package-lock.json');
  expect(lock.length).toBeGreaterThan(0);
  expect(linesWith(/https?:\/\/registry\./, lock)).toEqual([]);
});

test('no escape hatches from the type system', () => {
  expect(linesWith(/\bas unknown as\b|@ts-(?:ignore|expect-error|nocheck)|[:<]\s*any\b/, sources)).toEqual(
    [],
  );
});

test('failures have a code: no bare Error is thrown', () => {
  expect(linesWith(/\bthrow new Error\(|reject\(new Error\(/, sources)).toEqual([]);
});

test('no test is switched off or narrowed', () => {
  const tests = filesOf('.test.ts').filter((file) => !file.path.startsWith('test/tidy/'));
  expect(linesWith(/\b(?:it|test|describe)\.(?:skip|only|todo|fails)\b/, tests)).toEqual([]);
});

test('what makes a temporary folder takes it away', () => {
  const left = filesOf('.ts').filter(({ text }) => /\bmkdtemp/.test(text) && !/\brm(?:Sync)?\(/.test(text));
  expect(left.map(({ path }) => path)).toEqual([]);
});

test('files are named in kebab case', () => {
  const odd = sources.map((file) => file.path).filter((path) => !/^[a-z0-9-./]+$/.test(path));
  expect(odd).toEqual([]);
});

test('constants are named in camel case, as everything else is', () => {
  expect(linesWith(/^\s*(?:export )?const [A-Z][A-Z0-9_]*\b/, filesOf('.ts', '.js', '.mjs'))).toEqual([]);
});

test('every module opens with what it is for', () => {
  const silent = sources.filter((file) => !/^(?:#!.*\n)?\/\*\*/.test(file.text)).map((file) => file.path);
  expect(silent).toEqual([]);
});

test('every export is used somewhere else, or is the type of one that is', () => {
  const everything = filesOf('.ts', '.js', '.mjs', '.json').filter(
    (file) => !file.path.endsWith('package-lock.json'),
  );
  const words = new Map<string, Set<string>>();
  for (const file of everything) {
    for (const word of new Set(file.text.match(/[A-Za-z0-9_$]+/g))) {
      words.set(word, (words.get(word) ?? new Set()).add(file.path));
    }
  }
  const dead = sources
    .filter((file) => !isEntry(file.path))
    .flatMap((file) => exportsOf(file.text).map((found) => ({ ...found, file })))
    .filter(({ name, isType, file }) => {
      if ([...(words.get(name) ?? [])].some((path) => path !== file.path)) return false;
      return !isType || (file.text.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length < 2;
    })
    .map(({ name, file }) => `${file.path}: ${name}`);
  expect(dead).toEqual([]);
});

test('every source file is reached by an import', () => {
  const everything = filesOf('.ts', '.js', '.mjs');
  const reached = new Set(
    everything.flatMap((file) => importsOf(file).map((specifier) => specifier.split('/').at(-1) ?? '')),
  );
  const orphans = sources
    .map((file) => file.path)
    .filter((path) => !/\/(?:main|index)\.ts$/.test(path))
    .filter((path) => {
      const name = path.split('/').at(-1) ?? '';
      return (
        !reached.has(name) &&
        !reached.has(name.replace(/\.ts$/, '')) &&
        !reached.has(name.replace(/\.ts$/, '.js'))
      );
    });
  expect(orphans).toEqual([]);
});

test('nothing that is built or secret is committed', () => {
  const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n');
  expect(
    tracked.filter((path) => /(?:^|\/)(?:node_modules|dist|coverage)\/|\.(?:pem|key|env)$/.test(path)),
  ).toEqual([]);
});

/** What is exported here is for other packages or for the shell. */
function isEntry(path: string): boolean {
  return path.startsWith('conflict/src/') || path.endsWith('/main.ts');
}

function exportsOf(text: string): readonly { readonly name: string; readonly isType: boolean }[] {
  const pattern = /^export (?:async )?(function\*?|const|class|interface|type|let) ([A-Za-z0-9_]+)/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    name: match[2] ?? '',
    isType: match[1] === 'interface' || match[1] === 'type',
  }));
}
