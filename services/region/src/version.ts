/** The version of this program, from its package. */
import { createRequire } from 'node:module';
import { z } from 'zod';

const manifest: unknown = createRequire(import.meta.url)('../package.json');

export const version = z.object({ version: z.string() }).parse(manifest).version;
