/**
 * What operators see, said once: the panels of the dashboard, in PromQL over the metrics that the region process
 * exports. An age that is unknown is exported as `+Inf` and a count that is unknown as `NaN`: graphs leave unknown ages
 * out and count them in a panel of their own, so that neither is ever read as zero.
 */
export interface Query {
  readonly expr: string;
  /** Legend, with labels in double braces. */
  readonly legend: string;
}

/** A unit as Grafana names it. */
export type Unit = 's' | 'short' | 'bytes' | 'ops' | 'percentunit';

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly kind: 'timeseries' | 'stat' | 'state-timeline';
  readonly unit: Unit;
  readonly queries: readonly Query[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

function quantile(of: number, metric: string, by: string): string {
  return `histogram_quantile(${of}, sum by (le${by}) (rate(${metric}_bucket{instance=~"$instance"}[1m])))`;
}

const at = '{instance=~"$instance"}';

export const rows: readonly Row[] = [
  {
    title: 'What would be lost, what is late',
    panels: [
      {
        title: 'RPO by peer',
        description:
          'Age of the oldest own commit that a peer, or the own log, has not confirmed. The region loses what its best peer lacks. Unknown ages are left out here and counted under Unknown.',
        kind: 'timeseries',
        unit: 's',
        queries: [
          { expr: `isthmus_rpo_seconds${at} < Inf`, legend: '{{instance}} to {{peer}}' },
          { expr: `isthmus_rpo_objective_seconds${at}`, legend: 'objective {{tier}}' },
        ],
      },
      {
        title: 'Lag by origin',
        description:
          'Age of the oldest change of the origin that is known or presumed not to be applied here.',
        kind: 'timeseries',
        unit: 's',
        queries: [{ expr: `isthmus_replication_lag_seconds${at} < Inf`, legend: '{{origin}} at {{target}}' }],
      },
      {
        title: 'Unknown',
        description: 'Lag and RPO figures that are unknown. Anything but 0 wants a reason.',
        kind: 'stat',
        unit: 'short',
        queries: [
          {
            expr: `count(isthmus_rpo_seconds${at} == Inf or isthmus_replication_lag_seconds${at} == Inf) or vector(0)`,
            legend: 'unknown',
          },
        ],
      },
      {
        title: 'Links',
        description: 'State of the link to each peer, as each process sees it.',
        kind: 'state-timeline',
        unit: 'short',
        queries: [{ expr: `isthmus_link_state${at} == 1`, legend: '{{instance}} to {{peer}}: {{state}}' }],
      },
      {
        title: 'Incidents',
        description: 'Partition windows in which both sides wrote, or may have, while they are not over.',
        kind: 'state-timeline',
        unit: 'short',
        queries: [{ expr: `isthmus_split_brain${at}`, legend: '{{instance}} and {{peer}}' }],
      },
      {
        title: 'Changes not confirmed',
        description:
          'Own changes that a peer, or the own log, has not confirmed; gaps in the line are unknown.',
        kind: 'timeseries',
        unit: 'short',
        queries: [{ expr: `isthmus_rpo_changes${at}`, legend: '{{instance}} to {{peer}}' }],
      },
      {
        title: 'Backlog',
        description: 'Changes counted at the origin and not settled here; gaps in the line are unknown.',
        kind: 'timeseries',
        unit: 'short',
        queries: [{ expr: `isthmus_replication_backlog_changes${at}`, legend: '{{origin}} at {{instance}}' }],
      },
      {
        title: 'Commit to visible',
        description: 'From the commit at the origin to visible here.',
        kind: 'timeseries',
        unit: 's',
        queries: [
          {
            expr: quantile(0.5, 'isthmus_replication_latency_seconds', ', origin'),
            legend: '{{origin}} p50',
          },
          {
            expr: quantile(0.99, 'isthmus_replication_latency_seconds', ', origin'),
            legend: '{{origin}} p99',
          },
        ],
      },
      {
        title: 'Clock offset',
        description: "How far the own clock is ahead of the peer's, with the bound of its error.",
        kind: 'timeseries',
        unit: 's',
        queries: [
          { expr: `isthmus_clock_offset_seconds${at}`, legend: '{{instance}} ahead of {{peer}}' },
          { expr: `isthmus_clock_offset_error_seconds${at} < Inf`, legend: 'error to {{peer}}' },
        ],
      },
    ],
  },
  {
    title: 'What went wrong',
    panels: [
      {
        title: 'Conflicts',
        description: 'Fields that two sides wrote unseen by each other, by how they were resolved.',
        kind: 'timeseries',
        unit: 'ops',
        queries: [
          {
            expr: `sum by (collection, resolution) (rate(isthmus_conflicts_total${at}[1m]))`,
            legend: '{{collection}} {{resolution}}',
          },
        ],
      },
      {
        title: 'Gaps',
        description: 'Missing parts found in the logs of origins.',
        kind: 'timeseries',
        unit: 'short',
        queries: [{ expr: `isthmus_gaps_total${at}`, legend: '{{origin}} {{cause}}' }],
      },
      {
        title: 'Transfers',
        description: 'Transfers of state outside the log that came to their end, and those that are open.',
        kind: 'timeseries',
        unit: 'short',
        queries: [
          { expr: `isthmus_transfers_total${at}`, legend: '{{origin}} {{cause}}' },
          { expr: `isthmus_open_transfers${at}`, legend: '{{instance}} open' },
        ],
      },
      {
        title: 'Tombstones',
        description: 'Deleted records that are still kept, and for how long the open barrier has waited.',
        kind: 'timeseries',
        unit: 'short',
        queries: [
          { expr: `isthmus_tombstones${at}`, legend: '{{instance}} kept' },
          { expr: `isthmus_barrier_age_seconds${at}`, legend: '{{instance}} barrier, seconds' },
        ],
      },
      {
        title: 'Not verified for',
        description:
          'Time since the begin of the last clean sweep of each peer; gaps in the line are unknown.',
        kind: 'timeseries',
        unit: 's',
        queries: [
          {
            expr: `time() - isthmus_verified_through_timestamp_seconds${at}`,
            legend: '{{instance}} with {{peer}}',
          },
        ],
      },
      {
        title: 'Dead letters',
        description:
          'Changes put aside because they could not be applied, and what became of those given up.',
        kind: 'timeseries',
        unit: 'short',
        queries: [
          { expr: `isthmus_dead_letters${at}`, legend: '{{origin}} {{cause}}' },
          { expr: `isthmus_given_up_dead_letters${at}`, legend: '{{origin}} given up, {{fate}}' },
          { expr: `isthmus_closed_dead_letters${at}`, legend: 'closed and still kept' },
          { expr: `isthmus_dead_letters_fill_ratio${at}`, legend: '{{origin}} part of the bound' },
        ],
      },
      {
        title: 'Writes refused by guards',
        description: 'Writes that the guard of their collection did not let pass.',
        kind: 'timeseries',
        unit: 'ops',
        queries: [
          {
            expr: `sum by (collection) (rate(isthmus_guard_refusals_total${at}[1m]))`,
            legend: '{{collection}}',
          },
        ],
      },
      {
        title: 'Fenced',
        description: 'Work given up because another process had taken over.',
        kind: 'timeseries',
        unit: 'ops',
        queries: [{ expr: `rate(isthmus_fenced_total${at}[5m])`, legend: '{{what}}' }],
      },
    ],
  },
  {
    title: 'Work',
    panels: [
      {
        title: 'Records written and changes applied',
        description: 'Local writes, and changes of other regions, for each second.',
        kind: 'timeseries',
        unit: 'ops',
        queries: [
          { expr: `rate(isthmus_write_batch_records_sum${at}[1m])`, legend: '{{instance}} written' },
          { expr: `rate(isthmus_apply_batch_changes_sum${at}[1m])`, legend: '{{instance}} from {{origin}}' },
        ],
      },
      {
        title: 'Records in a batch',
        description: 'Writes that arrive together are committed together; so are changes that are applied.',
        kind: 'timeseries',
        unit: 'short',
        queries: [
          { expr: quantile(0.5, 'isthmus_write_batch_records', ''), legend: 'write p50' },
          { expr: quantile(0.5, 'isthmus_apply_batch_changes', ', origin'), legend: 'apply {{origin}} p50' },
        ],
      },
      {
        title: 'Time of a batch',
        description: 'One local commit, and one apply transaction.',
        kind: 'timeseries',
        unit: 's',
        queries: [
          { expr: quantile(0.99, 'isthmus_write_batch_seconds', ''), legend: 'write p99' },
          { expr: quantile(0.99, 'isthmus_apply_batch_seconds', ', origin'), legend: 'apply {{origin}} p99' },
        ],
      },
      {
        title: 'Log after compression',
        description: 'Bytes that go to the log, as a part of what they were before compression.',
        kind: 'timeseries',
        unit: 'percentunit',
        queries: [
          {
            expr: `rate(isthmus_log_bytes_total{instance=~"$instance", stage="compressed"}[5m]) / ignoring (stage) rate(isthmus_log_bytes_total{instance=~"$instance", stage="raw"}[5m])`,
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Retained write-ahead log',
        description: 'What Postgres keeps because the relay has not confirmed it.',
        kind: 'timeseries',
        unit: 'bytes',
        queries: [
          { expr: `isthmus_retained_wal_bytes${at}`, legend: '{{instance}}' },
          {
            expr: `isthmus_slot_safe_wal_bytes${at} < Inf`,
            legend: '{{instance}} left before it is given up',
          },
        ],
      },
      {
        title: 'Age of the newest beat',
        description: 'Beats are the only measure of time; they come four times a second.',
        kind: 'timeseries',
        unit: 's',
        queries: [{ expr: `isthmus_beat_age_seconds${at} < Inf`, legend: '{{instance}}' }],
      },
      {
        title: 'Event loop',
        description: 'Delay of the event loop, 99th percentile.',
        kind: 'timeseries',
        unit: 's',
        queries: [{ expr: `isthmus_nodejs_eventloop_lag_p99_seconds${at}`, legend: '{{instance}}' }],
      },
      {
        title: 'Database connections',
        description: 'Connections of each process, and callers that wait for one.',
        kind: 'timeseries',
        unit: 'short',
        queries: [{ expr: `isthmus_pool_connections${at}`, legend: '{{instance}} {{state}}' }],
      },
    ],
  },
];
