import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commit, isSameCommit } from './place.ts';
import { temporaryFolder } from './temporary-folder.ts';

function repository(): string {
  const folder = temporaryFolder();
  const git = (...args: readonly string[]): void => {
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd: folder,
      stdio: 'ignore',
    });
  };
  for (const part of ['test/campaigns', 'conflict/src']) mkdirSync(join(folder, part), { recursive: true });
  for (const file of ['test/campaigns/chaos.jsonl', 'conflict/src/a.ts', 'package.json', 'README.md'])
    writeFileSync(join(folder, file), '1');
  git('init');
  git('add', '.');
  git('commit', '-m', 'one');
  return folder;
}

test('a commit is that of the folder that is asked about, from wherever in it', () => {
  const folder = repository();
  const head = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: folder,
    encoding: 'utf8',
  }).trim();
  expect(commit(folder)).toBe(head);
  expect(commit(join(folder, 'conflict/src'))).toBe(head);
  expect(commit(tmpdir())).toBe('unknown');
});

test('results and pages change nothing; sources do, also new ones', () => {
  const folder = repository();
  const whole = commit(folder);
  const changed = (path: string): string => {
    writeFileSync(join(folder, path), '2');
    return commit(folder);
  };
  for (const path of ['test/campaigns/chaos.jsonl', 'README.md', 'soak.json'])
    expect(changed(path)).toBe(whole);
  expect(changed('conflict/src/b.ts')).toBe(`${whole}-dirty`);
  execFileSync('git', ['clean', '-fdq'], { cwd: folder });
  expect(commit(join(folder, 'test'))).toBe(whole);
  expect(changed('package.json')).toBe(`${whole}-dirty`);
});

test('nobody knows whether two changed folders are the same', () => {
  expect(isSameCommit('abc1234', 'abc1234')).toBe(true);
  expect(isSameCommit('abc1234', 'abc1235')).toBe(false);
  expect(isSameCommit('abc1234-dirty', 'abc1234-dirty')).toBe(false);
  expect(isSameCommit('unknown', 'unknown')).toBe(false);
});
