/** The source files of the repository, read once, for the checks on layout and style. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export const root = rootAbove(import.meta.dirname);

const skipped = new Set(['node_modules', 'dist', '.git', 'coverage']);

/** The nearest folder above that has the lock file: compiled tests lie deeper than their sources. */
function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : rootAbove(dirname(folder));
}

export function filesOf(...endings: readonly string[]): readonly SourceFile[] {
  return walk(root)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({
      path: relative(root, path).split(sep).join('/'),
      text: readFileSync(path, 'utf8'),
    }));
}

export function isTest(file: SourceFile): boolean {
  return file.path.endsWith('.test.ts') || file.path.startsWith('test/');
}

/** Specifiers of everything that a file imports, exports from, or loads when called. */
export function importsOf(file: SourceFile): readonly string[] {
  const pattern =
    /(?:^|[\n;])\s*(?:import|export)\b[^;'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|[\n;])import\s*['"]([^'"]+)['"]/g;
  return [...file.text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** A relative import as a path from the root. */
export function resolveImport(file: SourceFile, specifier: string): string {
  return join(dirname(file.path), specifier).split(sep).join('/');
}

function walk(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}
