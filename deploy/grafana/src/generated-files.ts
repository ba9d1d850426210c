/** What is generated, and where under `deploy/` it is committed. */
import { alertRulesYaml } from './alert-rules.ts';
import { dashboardJson } from './dashboard.ts';
import { alerts, recordings } from './alert-definitions.ts';
import { rows } from './definitions.ts';

export const generatedFiles: readonly { readonly path: string; readonly text: string }[] = [
  { path: 'grafana/isthmus-dashboard.json', text: dashboardJson(rows) },
  { path: 'prometheus/isthmus-alerts.yaml', text: alertRulesYaml(recordings, alerts) },
];
