/**
 * A change to the code that breaks a law, as data, and the copy of the package in which changes are tried. The
 * working copy that somebody edits is never touched. A text that is not there exactly once is an error, because a
 * mutation that changes nothing would be a survivor that says nothing.
 */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Mutation {
  readonly law: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export class UnfitMutation extends Error {
  override readonly name = 'UnfitMutation';
}

export function mutationsFrom(json: string): readonly Mutation[] {
  const parsed: unknown = JSON.parse(json);
  if (Array.isArray(parsed) && parsed.every(isMutation)) return parsed;
  throw new UnfitMutation('mutations are objects of law, file, find and replace');
}

function isMutation(value: unknown): value is Mutation {
  const members = new Map<string, unknown>(Object.entries(Object(value)));
  return ['law', 'file', 'find', 'replace'].every((name) => typeof members.get(name) === 'string');
}

/** Throws `UnfitMutation` where the text is missing or stands there more than once. */
export function mutated(text: string, { law, file, find, replace }: Mutation): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new UnfitMutation(`${law}: ${file} has ${parts.length - 1} times: ${find}`);
}

export class PackageCopy {
  readonly folder: string;
  readonly #source: string;

  /** `source` is the folder of the package; its modules are found where the repository has them. */
  constructor(source: string) {
    this.#source = source;
    // The bundler resolves links, so the copy is named by its real path.
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'conflict-mutants-')));
    for (const part of ['src', 'package.json', 'FORMAT.md', 'SPEC.md']) {
      cpSync(join(source, part), join(this.folder, part), { recursive: true });
    }
    symlinkSync(join(source, '..', 'node_modules'), join(this.folder, 'node_modules'));
    const config = "export default { test: { include: ['src/**/*.test.ts'], testTimeout: 60000 } };\n";
    writeFileSync(join(this.folder, 'vitest.config.mjs'), config);
  }

  apply(mutation: Mutation): void {
    const text = readFileSync(join(this.#source, mutation.file), 'utf8');
    writeFileSync(join(this.folder, mutation.file), mutated(text, mutation));
  }

  restore({ file }: Mutation): void {
    cpSync(join(this.#source, file), join(this.folder, file));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
