#!/usr/bin/env node
/**
 * Runs the isthmus command. npm links this committed file at install time, before anything is built, so it
 * builds the house first where that has not been done. Building says nothing on standard output: that
 * belongs to the command.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
const root = fileURLToPath(new URL('../../..', import.meta.url));

if (!existsSync(main)) {
  process.stderr.write('Building Isthmus (once)\n');
  const compiler = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url));
  const { status, error } = spawnSync(compiler, ['-b'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (!existsSync(main)) {
    const reason = error === undefined ? `tsc -b ended with ${status}` : error.message;
    process.stderr.write(`isthmus: cannot be built: ${reason}\n  Run npm ci in ${root} and try again.\n`);
    process.exit(1);
  }
}

await import(main.href);
