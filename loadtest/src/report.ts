/**
 * The findings of a whole load test and how they are told: lines on the terminal and a file of JSON. Every figure comes
 * with its spread; a scenario during which others used the machine is called disturbed where it is told, and so are its
 * figures. What failed is told as failed, never left out.
 */
import type { LogKind } from '@isthmus/local/region-log';
import type { Usage } from './machine/usage.ts';
import { goals, type Measure, meetsGoal, type Spread } from './measure.ts';
import { type Plot, shortNumber } from './report/plot.ts';

export interface Section {
  readonly scenario: string;
  readonly measures: readonly Measure[];
  readonly notes: readonly string[];
  readonly plots: readonly Plot[];
  /** `null` where it could not be watched. */
  readonly usage: Usage | null;
  /** Why it has no figures, or not all. */
  readonly failure: string | null;
}

export interface Report {
  readonly startedAt: string;
  readonly machine: string;
  /** Where the regions' logs lay. */
  readonly log: LogKind;
  /** Bytes of a record's JSON in the mean. */
  readonly recordBytes: number;
  readonly isQuick: boolean;
  readonly sections: readonly Section[];
}

export function jsonOf(report: Report): string {
  const measures = report.sections.flatMap((section) => section.measures);
  const scenarios = report.sections.map(({ scenario, notes, usage, failure }) => ({
    scenario,
    notes,
    usage,
    failure,
  }));
  const { startedAt, machine, log, recordBytes, isQuick } = report;
  const about = { startedAt, machine, log, recordBytes, quick: isQuick };
  return `${JSON.stringify({ measures, about, scenarios }, null, 2)}\n`;
}

export function textOf(report: Report): string {
  const lines = report.sections.flatMap((section) => ['', ...sectionLines(section)]);
  return [...headLines(report), ...lines, ''].join('\n');
}

export function headLines(report: Report): readonly string[] {
  const disturbed = report.sections.filter(({ usage }) => usage?.isDisturbed);
  const names = disturbed.map(({ scenario }) => scenario).join(', ');
  return [
    `Load test of ${report.startedAt} on ${report.machine}; records of ${report.recordBytes.toFixed(0)} bytes of JSON; logs in ${report.log}.`,
    ...(report.isQuick ? ['A quick run: too short for figures to be quoted.'] : []),
    disturbed.length === 0
      ? idleLine(report.sections)
      : `THE MACHINE WAS BUSY WITH OTHER WORK during: ${names}. Their figures are no basis for comparison.`,
  ];
}

function idleLine(sections: readonly Section[]): string {
  const isSeen = sections.every(({ usage }) => usage !== null);
  return isSeen ? 'The machine was otherwise idle.' : 'What else ran on the machine could not be seen.';
}

function sectionLines(section: Section): readonly string[] {
  const { scenario, measures, notes, usage, failure } = section;
  return [
    `== ${scenario}`,
    ...(failure === null ? [] : [`FAILED: ${failure}`]),
    ...measures.map(measureLine),
    ...notes.map((note) => `   ${note}`),
    ...(usage === null ? [] : usageLines(usage).map((line) => `   ${line}`)),
  ];
}

function measureLine(each: Measure): string {
  const name = each.name.padEnd(30);
  const figure = `${spreadText(each)} ${each.unit}`.padEnd(48);
  const anchor =
    each.anchor === undefined
      ? ''
      : `  beside ${each.anchor.name}: ${spreadText(each.anchor)} ${each.anchor.unit}`;
  return `${name} ${figure} ${goalText(each)}${anchor}`;
}

/** `median [min .. max] × runs` */
export function spreadText({ median, min, max, runs }: Spread): string {
  return `${shortNumber(median)} [${shortNumber(min)} .. ${shortNumber(max)}] × ${runs}`;
}

export function goalText(each: Measure): string {
  const goal = goals[each.name];
  if (goal === undefined) return '';
  const sign = goal.kind === 'at most' ? '<=' : '>=';
  return `goal ${sign} ${shortNumber(goal.value)}: ${meetsGoal(each) ? 'met' : 'NOT MET'}`;
}

/** Where the CPU went, and who else used it. */
export function usageLines(usage: Usage): readonly string[] {
  const { seconds, parts, othersShare, stealShare, loadBefore } = usage;
  const used = parts.map(
    ({ name, cpuS }) => `${name} ${((cpuS * 100) / Math.max(0.01, seconds)).toFixed(0)}%`,
  );
  const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
  return [
    `CPU of one core over ${seconds.toFixed(0)} s: ${used.join(', ')}.`,
    `Others used ${percent(othersShare)} of the machine, ${percent(stealShare)} was stolen; load before ${loadBefore.toFixed(2)} for each core.` +
      (usage.isDisturbed ? ' DISTURBED.' : ''),
  ];
}
