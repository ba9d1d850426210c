/**
 * The package as a stranger gets it: `npm pack` run in a copy of what it needs of the repository, so that nobody who
 * uses the compiled files at the same time sees them change, and projects in temporary folders that install the
 * tarball without a network.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../tidy/tree.ts';

const run = promisify(execFile);
const windows = process.platform === 'win32';

export interface Project {
  readonly folder: string;
  /** Runs Node in the project's folder and returns what it printed. */
  readonly node: (args: readonly string[], environment?: Readonly<Record<string, string>>) => Promise<string>;
}

export interface PackedPackage {
  readonly tarball: string;
  /** The copy of the repository in which it was packed. */
  readonly source: string;
  /** A new project that has the package, and links to these packages of the repository. */
  readonly install: (...linked: readonly string[]) => Promise<Project>;
  readonly remove: () => void;
}

export async function packPackage(): Promise<PackedPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-package-'));
  const source = join(folder, 'source');
  copyRepository(source);
  await npm(source, 'pack', '--workspace', 'conflict', '--pack-destination', folder);
  const tarball = join(folder, 'isthmus-conflict-0.1.0.tgz');
  let projects = 0;
  return {
    tarball,
    source,
    install: (...linked) => install(join(folder, `project-${(projects += 1)}`), tarball, linked),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** With what is compiled, because packing has to clear that away. */
function copyRepository(target: string): void {
  const filter = (path: string) => basename(path) !== 'node_modules';
  cpSync(join(root, 'conflict'), join(target, 'conflict'), { recursive: true, filter });
  cpSync(join(root, 'tsconfig.json'), join(target, 'tsconfig.json'));
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'), 'junction');
  writeFileSync(join(target, 'package.json'), JSON.stringify({ private: true, workspaces: ['conflict'] }));
}

async function install(folder: string, tarball: string, linked: readonly string[]): Promise<Project> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await npm(folder, 'install', '--offline', '--no-audit', '--no-fund', '--no-package-lock', tarball);
  for (const name of linked) link(folder, name);
  return {
    folder,
    node: async (args, environment = {}) => {
      const env = { ...process.env, ...environment };
      return (await run(process.execPath, args, { cwd: folder, env })).stdout;
    },
  };
}

function link(folder: string, name: string): void {
  const target = join(folder, 'node_modules', name);
  mkdirSync(join(target, '..'), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), target, 'junction');
}

async function npm(cwd: string, ...args: readonly string[]): Promise<void> {
  await run(windows ? 'npm.cmd' : 'npm', args, { cwd, shell: windows });
}

export interface CompileOptions {
  readonly moduleResolution: 'node16' | 'nodenext' | 'bundler';
  readonly lib?: readonly string[];
  /** For programs that use declarations which are not ours. */
  readonly skipLibCheck?: boolean;
}

/** Checks every `.ts` file of the project's folder strictly, and writes JavaScript beside it. */
export async function compile(project: Project, options: CompileOptions): Promise<void> {
  const { moduleResolution, lib = ['es2023', 'dom'], skipLibCheck = false } = options;
  const config = {
    compilerOptions: {
      target: 'es2022',
      lib,
      module: moduleResolution === 'bundler' ? 'esnext' : moduleResolution,
      moduleResolution,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck,
      types: [],
    },
    include: ['*.ts'],
  };
  writeFileSync(join(project.folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', project.folder]).catch(outputOf);
  if (stdout !== '') throw new Error(`it does not compile:\n${stdout}`);
}

/** What a command that failed has said; the compiler prints its findings to the standard output. */
function outputOf(failure: unknown): { readonly stdout: string } {
  if (failure instanceof Error && 'stdout' in failure && typeof failure.stdout === 'string') {
    return { stdout: failure.stdout === '' ? failure.message : failure.stdout };
  }
  throw failure;
}
