/** A campaign as a table: for each scenario how often it ran, what it met, and what was found. */
import type { RunResult } from './run-result.ts';
import type { Scenario } from './scenario.ts';

export interface Summary {
  readonly scenario: string;
  readonly row: number;
  readonly about: string;
  readonly runs: number;
  readonly passed: number;
  readonly seeds: readonly number[];
  readonly faults: number;
  readonly acknowledged: number;
  /** Acknowledged while a fault was on. */
  readonly overlapped: number;
  /** How long the longest fault was on. */
  readonly longestMs: number;
  readonly readings: number;
  /** Readings of numbers of changes. */
  readonly counts: number;
  /** How many of these were of a backlog. */
  readonly backlogs: number;
  readonly worstMs: number;
  /** At which it ran; in the order of the results. */
  readonly commits: readonly string[];
  /** Why it was not staged; empty: it was. */
  readonly reason: string;
}

export function summarise(scenarios: readonly Scenario[], results: readonly RunResult[]): readonly Summary[] {
  return scenarios.map(({ name, row, about }) => {
    const own = results.filter(({ scenario }) => scenario === name);
    const staged = own.filter(({ outcome }) => outcome !== 'not staged');
    const sum = (read: (result: RunResult) => number): number =>
      staged.reduce((total, result) => total + read(result), 0);
    return {
      scenario: name,
      row,
      about,
      runs: staged.length,
      passed: staged.filter(({ outcome }) => outcome === 'passed').length,
      seeds: staged.map(({ seed }) => seed),
      faults: sum(({ windows }) => windows.length),
      acknowledged: sum(({ operations }) => sumOf(operations, 'ok')),
      overlapped: sum(({ windows }) => windows.reduce((total, window) => total + window.acknowledged, 0)),
      longestMs: Math.max(0, ...staged.flatMap(({ windows }) => windows.map(({ tookMs }) => tookMs))),
      readings: sum(({ gauges }) => gauges.readings),
      counts: sum(({ gauges }) => gauges.counts),
      backlogs: sum(({ gauges }) => gauges.backlogs),
      worstMs: Math.max(0, ...staged.map(({ gauges }) => gauges.worstMs)),
      commits: [...new Set(staged.map(({ commit }) => commit))],
      reason: staged.length > 0 ? '' : (own[0]?.reason ?? ''),
    };
  });
}

/** What a campaign that goes on takes from its results file as it is; `null`: nothing. */
export function takenOver(results: readonly RunResult[], commit: string): string | null {
  const staged = results.filter(({ outcome }) => outcome !== 'not staged');
  if (staged.length === 0) return null;
  const others = staged.filter((result) => result.commit !== commit);
  const commits = [...new Set(others.map((result) => result.commit))].join(', ');
  const elsewhere = others.length === 0 ? '' : `, ${others.length} of them at other commits: ${commits}`;
  return `goes on after ${staged.length} runs, which are not repeated${elsewhere}`;
}

/** What a campaign that goes on does not take from its results file; `null`: nothing. */
export function leftAside(results: readonly RunResult[]): string | null {
  if (results.length === 0) return null;
  const commits = [...new Set(results.map(({ commit }) => commit))].join(', ');
  return `leaves aside ${results.length} runs that are not surely of this commit: ${commits}; --any-commit takes them`;
}

function sumOf(operations: RunResult['operations'], result: string): number {
  return Object.values(operations).reduce((total, counts) => total + (counts[result] ?? 0), 0);
}

/** Acknowledged operations by kind; the most frequent first. */
export function kindsOf(results: readonly RunResult[]): readonly (readonly [kind: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { operations } of results)
    for (const [kind, { ok = 0 }] of Object.entries(operations))
      counts.set(kind, (counts.get(kind) ?? 0) + ok);
  return [...counts].toSorted(([, one], [, other]) => other - one);
}

export function table(summaries: readonly Summary[]): string {
  const head = [
    'row',
    'scenario',
    'runs',
    'passed',
    'faults',
    'writes',
    'in faults',
    'longest s',
    'gauge readings',
    'worst ms',
  ];
  const rows = summaries.map((each) => [
    String(each.row),
    each.scenario,
    each.reason === '' ? String(each.runs) : `not staged: ${each.reason}`,
    ...(each.reason === ''
      ? [
          each.passed,
          each.faults,
          each.acknowledged,
          each.overlapped,
          Math.round(each.longestMs / 1000),
          each.readings,
          each.worstMs,
        ].map(String)
      : []),
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows.filter((row) => row.length > 3)].map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A campaign of so many runs in which a kind of operation hardly succeeded proves nothing about it. */
const judgedRuns = 5;
const leastOfKind = 100;

/** `faults`: why it proves nothing, beside runs that failed, which have been told of. */
export function judgeCampaign(results: readonly RunResult[]): {
  readonly faults: readonly string[];
  readonly isPassed: boolean;
} {
  const staged = results.filter(({ outcome }) => outcome !== 'not staged');
  if (staged.length === 0) return { faults: ['nothing was staged, so nothing was shown'], isPassed: false };
  const thin = staged.length < judgedRuns ? [] : kindsOf(staged).filter(([, count]) => count < leastOfKind);
  const faults = thin.map(
    ([kind, count]) => `${kind}: ${count} acknowledged, at least ${leastOfKind} are needed`,
  );
  return { faults, isPassed: thin.length === 0 && staged.every(({ outcome }) => outcome === 'passed') };
}
