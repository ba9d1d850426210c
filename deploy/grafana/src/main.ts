/** Writes the dashboard and the alert rules to where they are committed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFiles } from './generated-files.ts';

const deploy = join(import.meta.dirname, '../..');
for (const { path, text } of generatedFiles) writeFileSync(join(deploy, path), text);
