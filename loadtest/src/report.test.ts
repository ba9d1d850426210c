/** What a reader is told: goals, spreads, a busy machine, failures; and that the page stands alone. */
import { expect, it } from 'vitest';
import type { Usage } from './machine/usage.ts';
import { measure } from './measure.ts';
import { htmlOf } from './report/html.ts';
import { ninesOf, niceCeiling, shortNumber } from './report/plot.ts';
import { jsonOf, type Report, textOf } from './report.ts';

const quiet: Usage = {
  seconds: 10,
  parts: [{ name: 'postgres eu', cpuS: 5 }],
  othersShare: 0.01,
  stealShare: 0,
  loadBefore: 0.1,
  isDisturbed: false,
};

function reportWith(usage: Usage | null, failure: string | null = null): Report {
  const anchor = { name: 'raw <pg>', unit: 'writes/s', median: 2000, min: 1900, max: 2100, runs: 3 };
  return {
    startedAt: '2030-01-01T00:00:00.000Z',
    machine: '2 × test',
    log: 'kafka',
    recordBytes: 240,
    isQuick: false,
    sections: [
      {
        scenario: 'single',
        measures: [measure('write_ratio_to_raw_pg', 'ratio', [0.8, 0.9, 1.2], anchor)],
        notes: ['A note.'],
        plots: [
          {
            kind: 'percentiles',
            title: 'P',
            unit: 'ms',
            series: [
              {
                name: 's',
                points: [
                  [50, 1],
                  [99, 4],
                ],
              },
            ],
          },
          { kind: 'over-time', title: 'T', unit: '/s', series: [{ name: 's', points: [] }] },
        ],
        usage,
        failure,
      },
    ],
  };
}

it('gives the JSON the agreed shape', () => {
  const { measures } = JSON.parse(jsonOf(reportWith(quiet)));
  expect(measures).toEqual([
    {
      name: 'write_ratio_to_raw_pg',
      unit: 'ratio',
      median: 0.9,
      min: 0.8,
      max: 1.2,
      runs: 3,
      anchor: { name: 'raw <pg>', unit: 'writes/s', median: 2000, min: 1900, max: 2100, runs: 3 },
    },
  ]);
});

it('tells spread, goal, anchor and where the CPU went', () => {
  const text = textOf(reportWith(quiet));
  expect(text).toContain('0.90 [0.80 .. 1.20] × 3');
  expect(text).toContain('goal >= 1.20: NOT MET');
  expect(text).toContain('raw <pg>: 2 000 [1 900 .. 2 100] × 3');
  expect(text).toContain('postgres eu 50%');
  expect(text).toContain('otherwise idle');
});

it('says when the machine was busy and what failed', () => {
  const text = textOf(reportWith({ ...quiet, othersShare: 0.4, isDisturbed: true }, 'nobody answered'));
  expect(text).toContain('BUSY WITH OTHER WORK during: single');
  expect(text).toContain('FAILED: nobody answered');
});

it('makes a page that needs nothing else and escapes what it shows', () => {
  const html = htmlOf(reportWith(quiet));
  expect(html).toContain('raw &lt;pg&gt;');
  expect(html.match(/<svg /g)).toHaveLength(3);
  expect(html).not.toMatch(/<script|src=|href=|NaN|undefined/);
});

it('scales plots', () => {
  expect([50, 90, 99, 99.9].map((each) => Math.round(ninesOf(each) * 10) / 10)).toEqual([0.3, 1, 2, 3]);
  expect([0, 3, 20, 21, 260].map(niceCeiling)).toEqual([1, 5, 20, 25, 500]);
  expect([0, 0.123, 12.34, 1234567].map(shortNumber)).toEqual(['0', '0.12', '12.3', '1 234 567']);
});

it('does not call a machine idle that nobody could look at', () => {
  expect(textOf(reportWith(quiet))).toContain('The machine was otherwise idle.');
  const unseen = textOf(reportWith(null));
  expect(unseen).toContain('What else ran on the machine could not be seen.');
  expect(unseen).not.toContain('idle');
});
