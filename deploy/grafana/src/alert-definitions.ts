/**
 * What operators are woken by, said once: recordings and rules of the alerts, in PromQL over the metrics that the
 * region process exports. An age that is unknown is exported as `+Inf` and a count that is unknown as `NaN`, so rules on
 * ages fire on unknown ones by themselves. Every alert has a heading of its own name in the runbook.
 */
export interface Recording {
  readonly record: string;
  readonly expr: string;
}

export interface Alert {
  readonly name: string;
  readonly expr: string;
  /** How long it must hold, as Prometheus writes durations. */
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
}

/** Part of the time in which a region may be outside its RPO objective: one thousandth, 43 minutes a month. */
const errorBudget = 0.001;

/** 1 where the region's RPO, the least over its peers, is beyond the objective, for each tier in use. */
const rpoMissed: Recording = {
  record: 'isthmus:rpo_objective_missed',
  expr: `isthmus_rpo_objective_seconds < bool on (job, instance) group_left min by (job, instance) (isthmus_rpo_seconds{peer!="log"})`,
};

export const recordings: readonly Recording[] = [rpoMissed];

/** Burning the budget this many times too fast in both windows; the short one lets the alert end soon. */
function burning(rate: number, short: string, long: string): string {
  const limit = Number((rate * errorBudget).toFixed(6));
  const over = (window: string) => `avg_over_time(${rpoMissed.record}[${window}]) > ${limit}`;
  return `${over(short)} and ${over(long)}`;
}

export const alerts: readonly Alert[] = [
  {
    name: 'IsthmusLagRising',
    expr: `isthmus_replication_lag_seconds == Inf or (isthmus_replication_lag_seconds > 30 and deriv(isthmus_replication_lag_seconds[5m]) > 0)`,
    for: '2m',
    severity: 'warning',
    summary: '{{ $labels.target }} falls behind {{ $labels.origin }}: {{ $value }} s, or unknown',
  },
  {
    name: 'IsthmusRpoBurningFast',
    expr: burning(14.4, '5m', '1h'),
    for: '0m',
    severity: 'critical',
    summary: 'RPO beyond the objective of tier {{ $labels.tier }}, a month of budget is gone in two days',
  },
  {
    name: 'IsthmusRpoBurningSlowly',
    expr: burning(6, '30m', '6h'),
    for: '0m',
    severity: 'warning',
    summary:
      'RPO beyond the objective of tier {{ $labels.tier }} too often, a month of budget is gone in five days',
  },
  {
    name: 'IsthmusOwnLogBehind',
    expr: `isthmus_rpo_seconds{peer="log"} > 10`,
    for: '30s',
    severity: 'critical',
    summary: 'Commits of the last {{ $value }} s are not in the own log: the relay or the log stands still',
  },
  {
    name: 'IsthmusLinkDown',
    expr: `isthmus_link_state{state=~"one-way-in|one-way-out|stalled|partitioned"} == 1`,
    for: '30s',
    severity: 'critical',
    summary: 'The link to {{ $labels.peer }} is {{ $labels.state }}',
  },
  {
    name: 'IsthmusSplitBrain',
    expr: `isthmus_split_brain == 1`,
    for: '0m',
    severity: 'critical',
    summary:
      'Both sides of the broken link to {{ $labels.peer }} write, or may: conflicts will come with the heal',
  },
  {
    name: 'IsthmusGap',
    expr: `increase(isthmus_gaps_total[15m]) > 0 or (isthmus_gaps_total > 0 unless isthmus_gaps_total offset 15m)`,
    for: '0m',
    severity: 'critical',
    summary: 'Part of the log of {{ $labels.origin }} is missing: {{ $labels.cause }}',
  },
  {
    name: 'IsthmusTransferSlow',
    expr: `isthmus_open_transfers > 0`,
    for: '30m',
    severity: 'warning',
    summary: '{{ $value }} transfers have been wanted or under way for half an hour',
  },
  {
    name: 'IsthmusTrouble',
    expr: `isthmus_troubles > 0`,
    for: '1m',
    severity: 'warning',
    summary: 'A part of this process has failed for a minute: {{ $labels.part }}',
  },
  {
    name: 'IsthmusBarrierOpen',
    expr: `isthmus_barrier_age_seconds > 600`,
    for: '5m',
    severity: 'warning',
    summary: 'Deleted records have not been collected for {{ $value | humanizeDuration }}: a region is away',
  },
  {
    name: 'IsthmusDiverged',
    expr: `isthmus_diverged == 1`,
    for: '0m',
    severity: 'critical',
    summary: 'This region and {{ $labels.peer }} show different records though both are caught up',
  },
  {
    name: 'IsthmusUnverified',
    expr: `time() - isthmus_verified_through_timestamp_seconds > 3600 or isthmus_verified_through_timestamp_seconds != isthmus_verified_through_timestamp_seconds`,
    for: '1h',
    severity: 'warning',
    summary: 'No sweep of {{ $labels.peer }} has come to a clean end for over an hour',
  },
  {
    name: 'IsthmusRefusedRecords',
    expr: `increase(isthmus_refused_log_records_total[15m]) > 0`,
    for: '0m',
    severity: 'critical',
    summary: 'Records in the log of {{ $labels.origin }} were dropped: {{ $labels.cause }}',
  },
  {
    name: 'IsthmusSigningKeyEnds',
    expr: `isthmus_signing_key_end_timestamp_seconds - time() < 7 * 24 * 3600`,
    for: '5m',
    severity: 'warning',
    summary: 'The last key by which {{ $labels.origin }} is believed ends in {{ $value | humanizeDuration }}',
  },
  {
    name: 'IsthmusDeadLetters',
    expr: `isthmus_dead_letters > 0`,
    for: '1m',
    severity: 'warning',
    summary: '{{ $value }} changes of {{ $labels.origin }} are put aside: {{ $labels.cause }}',
  },
  {
    name: 'IsthmusDeadLettersFilling',
    expr: `isthmus_dead_letters_fill_ratio > 0.8`,
    for: '30s',
    severity: 'critical',
    summary:
      'Changes of {{ $labels.origin }} that are put aside take {{ $value | humanizePercentage }} of their bound: at it, partitions wait',
  },
  {
    name: 'IsthmusRetainedWal',
    expr: `isthmus_retained_wal_bytes > 4 * 1024 * 1024 * 1024`,
    for: '5m',
    severity: 'warning',
    summary: 'Postgres retains {{ $value | humanize1024 }}B of write-ahead log for the relay',
  },
  {
    name: 'IsthmusSlotAtRisk',
    expr: `isthmus_slot_level{level=~"critical|lost"} == 1`,
    for: '30s',
    severity: 'critical',
    summary: "The relay's replication slot is {{ $labels.level }}: Postgres gives up what was not relayed",
  },
  {
    name: 'IsthmusGuardRefusing',
    expr: `rate(isthmus_guard_refusals_total[5m]) > 0`,
    for: '1m',
    severity: 'warning',
    summary: 'Writes to {{ $labels.collection }} are refused by the guard that its owner chose',
  },
  {
    name: 'IsthmusBeatsStopped',
    expr: `isthmus_beat_age_seconds > 5`,
    for: '30s',
    severity: 'critical',
    summary: 'No beat was committed for {{ $value }} s, or nobody can tell',
  },
  {
    name: 'IsthmusSilent',
    expr: `absent(isthmus_incarnation) or (count by (job) (isthmus_incarnation offset 15m) unless count by (job) (isthmus_incarnation))`,
    for: '1m',
    severity: 'critical',
    summary: 'No process of {{ $labels.job }} answers: every other alert about it is blind',
  },
];
