import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packedProgram } from './region-program.ts';

const run = promisify(execFile);
const files: Readonly<Record<string, string>> = {
  'package.json': '{ "type": "module" }',
  'package-lock.json': '{}',
  'node_modules/kafkajs/package.json': '{ "main": "index.js" }',
  'node_modules/kafkajs/index.js': 'module.exports = { place: __filename };',
  'services/region/dist/main.js': `import { where } from './deep/where.js';
    import kafkajs from 'kafkajs';
    import { word } from '../../../replication/dist/word.js';
    const { late } = await import('./late.js');
    console.log(JSON.stringify([where, kafkajs.place, word, late]));`,
  'services/region/dist/deep/where.js': 'export const where = import.meta.url;',
  'services/region/dist/late.js': 'export const late = true;',
  'replication/dist/word.js': "export const word = 'one';",
  'conflict/dist/none.js': '',
};

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'isthmus-packed-')));
  for (const [path, text] of Object.entries(files)) await put(path, text);
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

async function said(program: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, [program]);
  return JSON.parse(stdout);
}

it('is one file that does what its modules do, and knows where they lay', async () => {
  const program = await packedProgram(root);
  const where = pathToFileURL(join(root, 'services/region/dist/deep/where.js')).href;
  const told = [where, join(root, 'node_modules/kafkajs/index.js'), 'one', true];
  await rm(join(root, 'services/region/dist/deep'), { recursive: true });
  await rm(join(root, 'services/region/dist/late.js'));
  expect(await said(program)).toEqual(told);
});

it('is packed once for what it is built from, and only the newest is kept', async () => {
  const first = await packedProgram(root);
  expect(await packedProgram(root)).toBe(first);
  await put('replication/dist/word.js', "export const word = 'two';");
  const second = await packedProgram(root);
  expect(second).not.toBe(first);
  expect(await said(second)).toContain('two');
  const packed = (await readdir(dirname(second))).filter((name) => name.startsWith('packed-'));
  expect(packed.map((name) => join(dirname(second), name))).toEqual([second]);
});
