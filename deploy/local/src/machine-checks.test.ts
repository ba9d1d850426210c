import { readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { findJava, findMaven } from './java.ts';
import { checkMachine, oldestNode } from './machine-checks.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('finds nothing missing on a machine that runs these tests', async () => {
  const checks = await checkMachine();
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['node', 'java', 'postgres', 'disk space']),
  );
});

it('wants the Node that the package and its readers are told', () => {
  const oldest = oldestNode.join('.');
  for (const [file, words] of [
    ['package.json', `"node": ">=${oldest}"`],
    ['package-lock.json', `"node": ">=${oldest}"`],
    ['README.md', `Node ${oldest} `],
    ['CONTRIBUTING.md', `Node ${oldest} `],
  ] as const) {
    expect(readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8'), file).toContain(words);
  }
});

it('says what to install where the path holds nothing', async () => {
  vi.stubEnv('PATH', '');
  vi.stubEnv('JAVA_HOME', '');
  const failed = (await checkMachine()).filter(({ ok }) => !ok);
  expect(failed).toContainEqual(
    expect.objectContaining({
      name: 'java',
      remedy: expect.stringContaining('Install Java 17'),
      isForKafka: true,
    }),
  );
  expect(failed).toContainEqual(expect.objectContaining({ name: 'tools', isForKafka: false }));
  await expect(findJava()).rejects.toMatchObject({ code: 'java-missing' });
  await expect(findMaven()).rejects.toMatchObject({
    code: 'maven-missing',
    remedy: expect.stringContaining('Install Maven'),
  });
});

it('says where files cannot be written', async () => {
  vi.stubEnv('TMPDIR', '/nowhere');
  await expect(checkMachine()).resolves.toContainEqual(
    expect.objectContaining({
      name: 'temporary folder',
      ok: false,
      remedy: expect.stringContaining('TMPDIR'),
    }),
  );
});
