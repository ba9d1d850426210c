/** `npm run vectors -w conflict`: writes the files of test vectors anew, from what `npm run build` has built. */
import { writeFileSync } from 'node:fs';
import { textOfFile } from '../dist/vectors/vector-file.js';
import { vectorFiles } from '../dist/vectors/vector-files.js';

for (const file of vectorFiles()) {
  const text = textOfFile(file);
  writeFileSync(new URL(`../vectors/${file.name}.json`, import.meta.url), text);
  process.stdout.write(`${file.name}.json: ${file.vectors.length} vectors, ${text.length} characters\n`);
}
