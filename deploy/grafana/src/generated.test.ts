import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { parseRegionId } from '../../../replication/src/ports/identity.ts';
import { RegionMetrics } from '../../../services/region/src/metrics.ts';
import { runbookPath, runbookUrl } from './alert-rules.ts';
import { alerts, recordings } from './alert-definitions.ts';
import { rows } from './definitions.ts';
import { generatedFiles } from './generated-files.ts';

const root = join(import.meta.dirname, '../../..');
const queries = rows.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries));
const expressions = [...queries, ...alerts, ...recordings].map(({ expr }) => expr);

/** Label names of every series that a region process exports, by the series' name. */
async function exportedSeries(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const text = await exercised().scrape();
  const series = new Map<string, Set<string>>();
  for (const line of text.split('\n').filter((candidate) => candidate.startsWith('isthmus_'))) {
    const [, name = '', labels = ''] = /^([a-z0-9_]+)(?:\{(.*)\})? /.exec(line) ?? [];
    const known = series.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/([a-z_]+)="/g)) known.add(label);
    series.set(name, known);
  }
  return series;
}

/** A process's metrics after each kind of work has been counted once. */
function exercised(): RegionMetrics {
  const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
  const us = parseRegionId('us') ?? expect.fail('us is a region');
  const metrics = new RegionMetrics({
    region: eu,
    incarnation: { counter: 1, nonce: 1 },
    peers: [us],
    figures: { read: () => Promise.resolve({ figures: null, isCurrent: false, ageMs: null }) },
    clock: { nowMs: () => 0 },
    links: { links: [{ peer: us, state: { kind: 'suspected' } }] },
    slot: () => Promise.resolve(null),
    incidents: () => Promise.resolve([]),
    verifications: () => Promise.resolve(null),
    openTransfers: () => Promise.resolve(null),
    tombstones: () => Promise.resolve(null),
    fates: () => Promise.resolve(null),
    closedLetters: () => Promise.resolve(null),
    pool: () => ({ total: 0, idle: 0, waiting: 0 }),
    troubles: () => [],
    keyEnds: new Map([[us, 1]]),
    objectives: [{ tier: 'gold', seconds: 60 }],
  });
  metrics.visible(us, 1);
  metrics.writeBatch(1, 1);
  metrics.applyBatch(us, 1, 1);
  metrics.conflicts('products', 'shown', 1);
  metrics.gap(us, 'missing-interval');
  metrics.transfer(us, 'gap');
  metrics.fenced('applier');
  metrics.collected(1, 1);
  metrics.guarded('products');
  metrics.refused(us, 'bad-signature');
  metrics.logBytes('raw', 1);
  return metrics;
}

function namesIn(expr: string): readonly string[] {
  return [...expr.matchAll(/\bisthmus[:_][a-z0-9_:]+/g)].map(([name]) => name);
}

test.each(generatedFiles.map(({ path, text }) => [path, text]))(
  '%s is what its definitions give; else: npm run generate -w deploy/grafana',
  (path, text) => {
    expect(readFileSync(join(root, 'deploy', path), 'utf8')).toBe(text);
  },
);

test.each(expressions)('%s is PromQL', (expr) => {
  const wrong: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) wrong.push(`at ${from}: ${expr.slice(from, to)}`);
    },
  });
  expect(wrong).toEqual([]);
});

test('every series that is used is exported or recorded', async () => {
  const exported = await exportedSeries();
  const recorded = new Set(recordings.map(({ record }) => record));
  const unknown = expressions.flatMap(namesIn).filter((name) => !exported.has(name) && !recorded.has(name));
  expect(unknown).toEqual([]);
  expect(expressions.filter((expr) => namesIn(expr).length === 0)).toEqual([]);
});

test('every label in a matcher, a legend or a summary is one of a series used there', async () => {
  const exported = await exportedSeries();
  const fromScraping = ['instance', 'job'];
  const offered = (expr: string): ReadonlySet<string> => {
    const recorded = recordings.filter(({ record }) => expr.includes(record));
    const names = [expr, ...recorded.map((recording) => recording.expr)].flatMap(namesIn);
    return new Set([...fromScraping, ...names.flatMap((name) => [...(exported.get(name) ?? [])])]);
  };
  const used = [
    ...queries.map(({ expr, legend }) => ({ expr, text: legend, pattern: /\{\{([a-z_]+)\}\}/g })),
    ...alerts.map(({ expr, summary }) => ({ expr, text: summary, pattern: /\$labels\.([a-z_]+)/g })),
    ...expressions.map((expr) => ({ expr, text: expr, pattern: /[{,]\s*([a-z_]+)(?:=|!=|=~)"/g })),
  ];
  const unknown = used.flatMap(({ expr, text, pattern }) =>
    [...text.matchAll(pattern)].map(([, label = '']) => label).filter((label) => !offered(expr).has(label)),
  );
  expect(unknown).toEqual([]);
});

test('every alert has a heading of its own in the runbook, and every heading an alert', () => {
  const runbook = readFileSync(join(root, runbookPath), 'utf8');
  const anchors = [...runbook.matchAll(/^## (\S+)$/gm)].map(([, heading = '']) => heading.toLowerCase());
  expect(anchors.toSorted()).toEqual(alerts.map((alert) => runbookUrl(alert).split('#')[1] ?? '').toSorted());
});
