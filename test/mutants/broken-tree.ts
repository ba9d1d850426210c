/**
 * A copy of the built repository in which one mutant at a time is alive. Packages of ours resolve to the copy, so that
 * nothing but the copy is ever broken; what others wrote is shared. Whatever becomes of a mutant, the copy is whole
 * again before the next one.
 */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '@isthmus/replication/errors';
import type { Mutant } from './mutant.ts';

export const root = new URL('../../..', import.meta.url).pathname;

const parts = ['conflict', 'replication', 'deploy', 'services', 'loadtest', 'test'];
const ours = {
  conflict: 'conflict',
  replication: 'replication',
  local: 'deploy/local',
  region: 'services/region',
};
/** Servers that tests start run as another user, who has to get in. */
const forAll = 0o755;

export class BrokenTree {
  readonly path: string;
  readonly #whole = new Map<string, string>();

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'isthmus-mutants-'));
    chmodSync(this.path, forAll);
    const filter = (from: string): boolean => !from.endsWith('/node_modules');
    for (const part of parts) cpSync(join(root, part), join(this.path, part), { recursive: true, filter });
    for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(this.path, file));
    this.#link();
  }

  break({ name, edits }: Mutant): void {
    for (const { file, from, to } of edits) {
      const path = join(this.path, file);
      const text = readFileSync(path, 'utf8');
      if (!this.#whole.has(path)) this.#whole.set(path, text);
      assert(text.includes(from), `the mutant "${name}" no longer fits ${file}`);
      writeFileSync(
        path,
        text.replace(from, () => to),
      );
    }
  }

  mend(): void {
    for (const [path, text] of this.#whole) writeFileSync(path, text);
    this.#whole.clear();
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #link(): void {
    const modules = join(this.path, 'node_modules');
    mkdirSync(join(modules, '@isthmus'), { recursive: true });
    for (const name of readdirSync(join(root, 'node_modules')))
      if (name !== '@isthmus' && name !== '.cache')
        symlinkSync(join(root, 'node_modules', name), join(modules, name));
    for (const [name, part] of Object.entries(ours))
      symlinkSync(join(this.path, part), join(modules, '@isthmus', name));
  }
}
