import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { root } from '../tidy/tree.ts';
import { readOptions } from './options.ts';
import { judgeCampaign, leftAside } from './report.ts';
import { readResults, takenFrom } from './results-file.ts';
import type { RunResult } from './run-result.ts';

const [known] = readResults(join(root, 'test/campaigns/chaos.jsonl'));

function at(commit: string, seed: number): RunResult {
  if (known === undefined) throw new Error('no campaign has left results');
  return { ...known, commit, seed };
}

const results = [at('aaaaaaa', 1), at('bbbbbbb', 2), at('ccccccc-dirty', 3), at('aaaaaaa', 4)];

test('a campaign goes on from the runs of its own commit, and tells how many it leaves aside', () => {
  const { taken, leftAside: aside } = takenFrom(results, { commit: 'bbbbbbb', isAnyCommit: false });
  expect(taken.map(({ seed }) => seed)).toEqual([2]);
  expect(leftAside(aside)).toBe(
    'leaves aside 3 runs that are not surely of this commit: aaaaaaa, ccccccc-dirty; --any-commit takes them',
  );
});

test('it takes the others where that is asked for, and those of a changed folder only then', () => {
  const dirty = { commit: 'ccccccc-dirty', isAnyCommit: false };
  expect(takenFrom(results, dirty).taken).toEqual([]);
  const all = takenFrom(results, { ...dirty, isAnyCommit: true });
  expect(all.taken).toEqual(results);
  expect(leftAside(all.leftAside)).toBeNull();
  expect(readOptions(['--any-commit'], [])).toMatchObject({ isAnyCommit: true });
  expect(readOptions([], [])).toMatchObject({ isAnyCommit: false });
});

test('a foreign line is told by its file and number', () => {
  const path = join(temporaryFolder(), 'results.jsonl');
  writeFileSync(path, `${JSON.stringify(known)}\n{"scenario":"quiet"}\n`);
  expect(() => readResults(path)).toThrow(`${path}, line 2: row: `);
});

test('a campaign is passed by runs that were staged and passed, and by nothing else', () => {
  const passed: RunResult = { ...at('aaaaaaa', 1), outcome: 'passed' };
  const absent: RunResult = { ...passed, outcome: 'not staged', reason: 'it needs root' };
  expect(judgeCampaign([passed, absent]).isPassed).toBe(true);
  expect(judgeCampaign([passed, { ...passed, outcome: 'failed' }]).isPassed).toBe(false);
  expect(judgeCampaign([absent, absent])).toMatchObject({
    faults: ['nothing was staged, so nothing was shown'],
    isPassed: false,
  });
  expect(judgeCampaign([])).toMatchObject({ isPassed: false });
  const hardly = { ...passed, operations: { put: { ok: 1 } } };
  const thin = Array.from({ length: 5 }, () => hardly);
  expect(judgeCampaign(thin)).toMatchObject({ faults: ['put: 5 acknowledged, at least 100 are needed'] });
});
