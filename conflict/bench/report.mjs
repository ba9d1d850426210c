/**
 * Turns what was measured into tables for people and a file for machines. A goal stands beside its figure, met or
 * missed; the command never fails because of one, since a figure is no better than the machine it was taken on.
 */
import { writeFileSync } from 'node:fs';
import { measuresOf } from './speed.mjs';
import { ratioOf, spreadOf } from './measure.mjs';

/** @typedef {{ readonly name: string, readonly unit: string, readonly median: number, readonly min: number, readonly max: number }} Measure */

/** @type {Readonly<Record<string, { readonly limit: number, readonly isCeiling?: boolean }>>} */
const goals = {
  merge_hot_ratio_to_json: { limit: 9 },
  merge_hot_ratio_to_yjs: { limit: 200 },
  merge_million_ratio_to_json: { limit: 6 },
  duplicate_delta_per_s: { limit: 5_000_000 },
  set_add_ratio_to_json: { limit: 4 },
  core_gzip_bytes: { limit: 12 * 1024, isCeiling: true },
  import_ms: { limit: 5, isCeiling: true },
  state_bytes_10_fields: { limit: 300, isCeiling: true },
};

/** @param {string} line */
export const say = (line = '') => process.stdout.write(`${line}\n`);

/** @param {number} number */
export function figure(number) {
  if (Math.abs(number) >= 1000) return Math.round(number).toLocaleString('en');
  return Number(number.toPrecision(3)).toString();
}

/** @param {{ readonly min: number, readonly max: number }} spread */
export const range = ({ min, max }) => `${figure(min)} - ${figure(max)}`;

/** Prints rows below a head, numbers to the right. @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export function table(head, rows) {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lineOf = (cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join('  ');
  say(`  ${lineOf(head)}`);
  for (const row of rows) say(`  ${lineOf(row)}`);
}

/** @param {import('./speed.mjs').Race} race */
export function printRace(race) {
  say(`\n${race.name}: ${race.title}`);
  const ours = race.rows.get('isthmus');
  const rows = [...race.rows].map(([name, { byClock, byProcessor }]) => {
    const rate = spreadOf(byClock);
    const ratio = ratioOf(ours.byClock, byClock);
    const ofProcessor = ratioOf(ours.byProcessor, byProcessor);
    return [
      name,
      figure(rate.median),
      range(rate),
      figure(ratio.median),
      range(ratio),
      figure(ofProcessor.median),
    ];
  });
  table(['', 'per second', 'min - max', 'ours is times', 'min - max', 'by processor time'], rows);
  for (const note of race.notes) say(`  ${note}`);
  return measuresOf(race);
}

/** @param {readonly Measure[]} measures */
export function printGoals(measures) {
  const rows = measures.flatMap(({ name, unit, median }) => {
    const goal = goals[name];
    if (goal === undefined) return [];
    const isMet = goal.isCeiling === true ? median <= goal.limit : median >= goal.limit;
    const bound = `${goal.isCeiling === true ? '<=' : '>='} ${figure(goal.limit)}`;
    return [[name, figure(median), unit, bound, isMet ? 'met' : 'missed']];
  });
  if (rows.length === 0) return;
  say('\nGoals');
  table(['', 'median', 'unit', 'goal', ''], rows);
}

/** @param {string} path @param {readonly Measure[]} measures */
export const writeMeasures = (path, measures) =>
  writeFileSync(path, `${JSON.stringify({ measures }, null, 2)}\n`);
