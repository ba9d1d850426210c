import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../tidy/tree.ts';
import { foundIn } from './found.ts';
import { testsPage } from './page.ts';
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
