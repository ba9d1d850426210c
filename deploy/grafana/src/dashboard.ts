/** Turns the rows of panels into a dashboard as Grafana imports it. The same rows always give the same text. */
import type { Panel, Row } from './definitions.ts';

const columns = 24;
const panelWidth = 8;
const panelHeight = 8;

interface Place {
  readonly x: number;
  readonly y: number;
}

interface Placed {
  readonly panels: readonly object[];
  readonly nextY: number;
}

export function dashboardJson(rows: readonly Row[]): string {
  const dashboard = {
    uid: 'isthmus',
    title: 'Isthmus',
    tags: ['isthmus'],
    schemaVersion: 39,
    editable: true,
    refresh: '5s',
    time: { from: 'now-30m', to: 'now' },
    timezone: 'utc',
    templating: { list: [datasourceVariable, instanceVariable] },
    panels: placed(rows),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

const datasource = { type: 'prometheus', uid: '${datasource}' };

const datasourceVariable = { name: 'datasource', type: 'datasource', query: 'prometheus' };

const instanceVariable = {
  name: 'instance',
  type: 'query',
  datasource,
  query: { query: 'label_values(isthmus_incarnation, instance)', refId: 'instance' },
  refresh: 2,
  includeAll: true,
  multi: true,
  current: { text: 'All', value: '$__all' },
};

function placed(rows: readonly Row[]): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    const laid = layRow(row, y, panels.length + 1);
    panels.push(...laid.panels);
    y = laid.nextY;
  }
  return panels;
}

function layRow(row: Row, y: number, firstId: number): Placed {
  const heading = {
    id: firstId,
    type: 'row',
    title: row.title,
    collapsed: false,
    panels: [],
    gridPos: { x: 0, y, w: columns, h: 1 },
  };
  const perLine = columns / panelWidth;
  const panels = row.panels.map((panel, index) => {
    const x = (index % perLine) * panelWidth;
    const line = Math.floor(index / perLine);
    return grafanaPanel(panel, firstId + 1 + index, { x, y: y + 1 + line * panelHeight });
  });
  const lines = Math.ceil(row.panels.length / perLine);
  return { panels: [heading, ...panels], nextY: y + 1 + lines * panelHeight };
}

function grafanaPanel(panel: Panel, id: number, place: Place): object {
  return {
    id,
    type: panel.kind,
    title: panel.title,
    description: panel.description,
    datasource,
    gridPos: { ...place, w: panelWidth, h: panelHeight },
    fieldConfig: { defaults: { unit: panel.unit, noValue: 'unknown' }, overrides: [] },
    targets: panel.queries.map(({ expr, legend }, index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource,
      expr,
      legendFormat: legend,
    })),
  };
}
