/**
 * Brings the benchmark's own `node_modules` up to date: what is compared, from its own lock file, so that no user of
 * the package ever fetches it; and the package itself, packed and unpacked as a user gets it, so that what is measured
 * is what is published. Where the lock file has not changed since the last time, only the package is renewed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from './contender.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');

/** The environment without what tells npm of the workspace that this was called from. */
function plainEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_config_(?:workspace|workspaces|local_prefix|include_workspace_root)$/i.test(name),
  );
  return Object.fromEntries(kept);
}

/** @param {string} folder @param {readonly string[]} parameters */
function npm(folder, parameters) {
  const path = process.env.npm_execpath;
  const [command, first] = path === undefined ? ['npm', []] : [process.execPath, [path]];
  const all = [...first, ...parameters, '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync(command, all, {
    cwd: folder,
    env: plainEnvironment(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function installOthers() {
  const mark = join(modules, '.installed-lock.json');
  const lock = readFileSync(join(here, 'package-lock.json'), 'utf8');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return;
  process.stdout.write('Installing what is compared (once)\n');
  npm(here, ['ci', '--ignore-scripts']);
  writeFileSync(mark, lock);
}

function installPackage() {
  const packed = join(modules, '.packed');
  const target = join(modules, '@isthmus/conflict');
  for (const folder of [packed, target]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  npm(dirname(here), ['pack', '--pack-destination', packed]);
  const [archive] = readdirSync(packed);
  if (archive === undefined) throw new BenchError('npm packed nothing');
  execFileSync('tar', ['-xzf', join(packed, archive), '-C', target, '--strip-components=1']);
}

/** A package with nothing in it, whose import shows what Node takes for any package. */
function installEmptyPackage() {
  const target = join(modules, '@isthmus/nothing');
  mkdirSync(target, { recursive: true });
  const manifest = { name: '@isthmus/nothing', type: 'module', exports: './index.js' };
  writeFileSync(join(target, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(target, 'index.js'), 'export const nothing = null;\n');
}

installOthers();
installPackage();
installEmptyPackage();
