/** Incidents in words: one line each, or one with all that is known of it. Unknown is said, never shown as 0. */
import { printable } from './printable.ts';
import { member } from './request.ts';
import { table, textOf } from './show.ts';

const shownConflicts = 20;

const heading = ['ID', 'PEER', 'STATE', 'SINCE', 'SECONDS', 'WRITES', 'CONFLICTS'];

export function incidentTable(incidents: readonly unknown[]): string {
  if (incidents.length === 0) return 'No incidents: no partition in which both sides wrote.\n';
  return table([heading, ...incidents.map(rowOf)]);
}

export function incidentDetails(incident: unknown): string {
  const moments = ['startedAt', 'declaredAt', 'healedAt', 'endedAt'].map((name) => [
    `  ${name.replace('At', '')}`,
    textOf(member(incident, name), 'not yet'),
  ]);
  return table([heading, rowOf(incident)]) + table(moments) + conflictsOf(incident) + digestsOf(incident);
}

function rowOf(incident: unknown): readonly string[] {
  const seconds = member(incident, 'durationSeconds');
  return [
    textAt(incident, 'id'),
    textAt(incident, 'peer'),
    textAt(incident, 'state'),
    textAt(incident, 'startedAt'),
    typeof seconds === 'number' ? seconds.toFixed(1) : 'unknown',
    entriesOf(member(incident, 'writes'))
      .map(([region, count]) => `${region} ${textOf(count, 'unknown')}`)
      .join(', '),
    textAt(incident, 'conflictCount'),
  ];
}

function conflictsOf(incident: unknown): string {
  const all = member(incident, 'conflicts');
  const conflicts: readonly unknown[] = Array.isArray(all) ? all : [];
  if (conflicts.length === 0) return 'No records in conflict.\n';
  const lines = conflicts
    .slice(0, shownConflicts)
    .map((conflict) => `  ${textAt(conflict, 'collection')}/${textAt(conflict, 'key')}\n`);
  const rest = Number(member(incident, 'conflictCount')) - lines.length;
  const more = rest > 0 ? `  and ${rest} more: see --json\n` : '';
  return `Records in conflict (isthmus conflicts show COLLECTION/KEY):\n${lines.join('')}${more}`;
}

function digestsOf(incident: unknown): string {
  const byCollection = entriesOf(member(incident, 'digests'));
  if (byCollection.length === 0) return '';
  const rows = byCollection.map(([collection, sides]) => {
    const digests = entriesOf(sides).map(([region, digest]) => `${region} ${textOf(digest, 'unknown')}`);
    return [`  ${collection}`, ...digests];
  });
  return `Digests at the end:\n${table(rows)}`;
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function textAt(value: unknown, name: string): string {
  return printable(textOf(member(value, name), 'unknown'));
}
