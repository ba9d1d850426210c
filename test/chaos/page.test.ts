import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../tidy/tree.ts';
import { foundIn } from './found.ts';
import { testsPage } from './page.ts';
import { takenOver } from './report.ts';
import type { RunResult } from './run-result.ts';

const found = foundIn(root);
const { results } = found;
const page = readFileSync(join(root, 'test/README.md'), 'utf8');

test('the page about the tests is what is generated from the results of campaigns', () => {
  expect(page, 'npm run chaos -- --page writes it').toBe(testsPage(found));
});

test('a failed run and one that was not staged are on the page', () => {
  const [known] = results;
  if (known === undefined) throw new Error('no campaign has left results');
  const failed: RunResult = { ...known, outcome: 'failed', seed: 4711, reason: 'it broke', violations: [] };
  const absent: RunResult = { ...known, scenario: 'resets', outcome: 'not staged', reason: 'it needs root' };
  const made = testsPage({ ...found, results: [failed, absent] });
  expect(made).toContain(`- \`${known.scenario}\` seed 4711: it broke`);
  expect(made).toContain('not staged: it needs root');
  expect(made).toContain('1 runs of 1 scenarios, 0 passed');
});

test('a mistake that is noticed only because something repairs counts as one that is not', () => {
  const fates = found.mutants.fates.map((fate) =>
    fate.name === 'no dedupe' && fate.setting === 'bare' ? { ...fate, kill: null } : fate,
  );
  expect(testsPage({ ...found, mutants: { fates } })).toContain('not noticed: no dedupe.');
});

test('each row names the commits of its runs, and a campaign that goes on those that it takes over', () => {
  const [known] = results;
  if (known === undefined) throw new Error('no campaign has left results');
  const two = [
    { ...known, scenario: 'quiet', seed: 1, commit: 'aaaaaaa' },
    { ...known, scenario: 'quiet', seed: 2, commit: 'bbbbbbb' },
  ];
  expect(testsPage({ ...found, results: two })).toMatch(/\| `quiet` \|.* \| aaaaaaa bbbbbbb \|/);
  expect(takenOver(two, 'bbbbbbb')).toContain(
    'after 2 runs, which are not repeated, 1 of them at other commits: aaaaaaa',
  );
  expect(takenOver([], 'bbbbbbb')).toBeNull();
});

test('a soak of another length is not called an hour, and what was not sent is told', () => {
  const { soak } = found;
  if (soak === null) throw new Error('no soak was kept');
  const short = { ...soak, about: { ...soak.about, minutes: 5 }, totals: { ...soak.totals, shed: 77 } };
  const made = testsPage({ ...found, soak: short });
  expect(made).toContain('## 5 minutes of everything');
  expect(made).toContain('77 not sent because too many waited');
});
