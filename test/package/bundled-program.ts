/** The history of `same-everywhere.ts` as a script of a project that installed the package. */
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import type { Project } from './packed-package.ts';

export interface ProgramOptions {
  /** A module, or a script that leaves a global `program`. */
  readonly format: 'esm' | 'iife';
  /** Whether the package is bundled with it, or imported as it was installed. */
  readonly alone: boolean;
}

/** Returns the path of the script. */
export async function bundleProgram(project: Project, options: ProgramOptions): Promise<string> {
  const { format, alone } = options;
  const installed = join(project.folder, 'node_modules/@isthmus/conflict/dist/index.js');
  const file = join(project.folder, `program-${format}-${alone ? 'alone' : 'importing'}.js`);
  const build = await rolldown({
    input: join(import.meta.dirname, 'same-everywhere.ts'),
    platform: 'neutral',
    ...(alone ? { resolve: { alias: { '@isthmus/conflict': installed } } } : {}),
    ...(alone ? {} : { external: ['@isthmus/conflict'] }),
  });
  await build.write({ file, format, name: 'program', minify: false });
  await build.close();
  return file;
}
