/**
 * Installs what the benchmark compares with, from its own lock file and beside the package, so that no user of the
 * package ever does. Where the lock file has not changed since the last time, it does nothing.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const installed = join(here, 'node_modules/.installed-lock.json');

/** The environment without what tells npm of the workspace that this was called from. */
function plainEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_config_(?:workspace|workspaces|local_prefix|include_workspace_root)$/i.test(name),
  );
  return Object.fromEntries(kept);
}

const lock = readFileSync(join(here, 'package-lock.json'), 'utf8');
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
  process.stdout.write('Installing what is compared (once)\n');
  const npm = process.env.npm_execpath;
  const parameters = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  execFileSync(command, [...first, ...parameters], { cwd: here, env: plainEnvironment(), stdio: 'inherit' });
  writeFileSync(installed, lock);
}
