import type { Verdict } from '@isthmus/replication/guard/write-guard';
import { type RegionId, parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { WriteGuards } from './write-guards.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const budget = { kind: 'budget', seconds: 5, changes: null, peers: 2 } as const;
const verdicts = new Map<string, Verdict>([
  ['home', { kind: 'not-home', home: us }],
  ['bounded', { kind: 'over-budget', budget, within: 1 }],
]);

/** What a request to these collections is refused with, and what is counted. */
function check(
  collections: readonly string[],
  {
    isRetired = false,
    isDrained = false,
    waitsFor = [],
    notNamedBy = [],
  }: {
    readonly isRetired?: boolean;
    readonly isDrained?: boolean;
    readonly waitsFor?: readonly RegionId[];
    readonly notNamedBy?: readonly RegionId[];
  } = {},
) {
  const counted: string[] = [];
  const guards = new WriteGuards({
    region: eu,
    watch: { judge: (collection) => verdicts.get(collection) ?? { kind: 'accept' } },
    retirement: { isRetired },
    joining: { waitsFor, notNamedBy },
    draining: { isDrained },
    onRefused: (collection) => counted.push(collection),
  });
  let refusal: unknown = null;
  try {
    guards.check(collections, (index) => `writes[${index}]`);
  } catch (error) {
    refusal = error;
  }
  return { refusal, counted };
}

test('writes to collections that accept pass', () => {
  expect(check(['open', 'open'])).toEqual({ refusal: null, counted: [] });
});

test('every write at fault is named with its rule, its limit and what was found, and counted', () => {
  const { refusal, counted } = check(['open', 'bounded', 'home', 'bounded']);
  expect(refusal).toBeInstanceOf(Problem);
  expect(refusal).toMatchObject({ code: 'write-guarded', status: 503, headers: { 'retry-after': '1' } });
  const over = { rule: 'budget', limit: { seconds: 5, changes: null, peers: 2 }, value: { peers: 1 } };
  expect(refusal).toMatchObject({
    violations: [
      { field: 'writes[1]', ...over },
      { field: 'writes[2]', rule: 'home-region', limit: 'us', value: 'eu' },
      { field: 'writes[3]', ...over },
    ],
  });
  expect(counted).toEqual(['bounded', 'home', 'bounded']);
});

test('a home region is named to the caller', () => {
  const { refusal } = check(['home']);
  expect(refusal).toMatchObject({ message: expect.stringContaining('home region us') });
});

test('a retired region takes no write at all, whatever its collections say', () => {
  const { refusal, counted } = check(['open', 'home'], { isRetired: true });
  expect(refusal).toMatchObject({ code: 'region-retired', status: 503 });
  expect(counted).toEqual([]);
});

test('a new region writes nothing before it has what its peers have, and says whom it waits for (P6)', () => {
  const { refusal, counted } = check(['open'], { waitsFor: [us] });
  expect(refusal).toMatchObject({ code: 'region-joining', status: 503, headers: { 'retry-after': '2' } });
  expect(String(refusal)).toContain('us');
  expect(String(refusal)).not.toContain('configured');
  expect(counted).toEqual([]);
});

test('a new region that a peer does not name says where that is mended', () => {
  const { refusal } = check(['open'], { waitsFor: [us], notNamedBy: [us] });
  expect(String(refusal)).toContain('us must be configured with it as a peer');
});

test('a drained region takes no write, and one that was retired as well says that', () => {
  const { refusal, counted } = check(['open', 'home'], { isDrained: true });
  expect(refusal).toMatchObject({ code: 'region-drained', status: 503 });
  expect(counted).toEqual([]);
  expect(check(['open'], { isDrained: true, isRetired: true }).refusal).toMatchObject({
    code: 'region-retired',
  });
});
