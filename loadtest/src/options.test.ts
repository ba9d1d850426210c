/** The command line: defaults, and what is refused. */
import { expect, it } from 'vitest';
import { readOptions } from './options.ts';

it('runs everything five times on a demo of its own by default', () => {
  const { only, effort, demo, jsonFile, log } = readOptions([], '');
  expect(log).toBe('kafka');
  expect(only).toHaveLength(7);
  expect(effort).toMatchObject({ runs: 5, keyCount: 100_000, backlogUpdates: 200_000, visiblePerS: 1_000 });
  expect({ demo, jsonFile }).toEqual({ demo: '', jsonFile: null });
});

it('lets the command line decide before the environment', () => {
  expect(readOptions([], '12').demo).toBe('12');
  expect(readOptions(['--demo', '13'], '12').demo).toBe('13');
  const quick = readOptions(['--quick', '--runs', '2', '--only', 'visible,engine'], '');
  expect(quick.effort.runs).toBe(2);
  expect(readOptions(['--log', 'postgres'], '').log).toBe('postgres');
  expect(quick.only).toEqual(['visible', 'engine']);
});

it.each([
  ['--only', 'nothing'],
  ['--runs', '0'],
  ['--runs', 'x'],
  ['--fast'],
  ['visible'],
  ['--log', 'paper'],
])('refuses %s %s', (...args) => {
  expect(() => readOptions(args, '')).toThrow();
});

it('a cut is asked for by name, for ten minutes or as many as are given', () => {
  expect(readOptions([], '').only).not.toContain('cut');
  expect(readOptions(['--only', 'cut'], '')).toMatchObject({ only: ['cut'], effort: { cutMs: 600_000 } });
  expect(readOptions(['--only', 'cut', '--minutes', '2'], '').effort.cutMs).toBe(120_000);
});

it('holds a million records and changes where it is asked by name, or as many as are given', () => {
  expect(readOptions([], '').only).not.toContain('held');
  expect(readOptions(['--only', 'held'], '').effort.heldRecords).toBe(1_000_000);
  expect(readOptions(['--only', 'held', '--records', '5000'], '').effort.heldRecords).toBe(5000);
});

it('moves a million records in a transfer, or as many as are given', () => {
  expect(readOptions(['--only', 'transfer'], '').effort.transferRecords).toBe(1_000_000);
  expect(readOptions(['--only', 'transfer', '--records', '5000'], '').effort.transferRecords).toBe(5000);
});
