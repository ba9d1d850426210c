/**
 * The region process's metrics, in the text format of Prometheus. Lag, RPO, links and dead letters are read when
 * somebody scrapes, within bounds of time (`figure-gauges.ts` says what unknown looks like); work is counted where
 * it happens, by the methods below, which cost next to nothing and never fail. Labels take few values: regions,
 * collections, causes; a record's key is never one.
 */
import type { GapCause } from '@isthmus/replication/applier/reading';
import type { LinkView } from '@isthmus/replication/links/link-watch';
import type { FateCount } from '@isthmus/replication/ports/dead-letter-store';
import type { Clock } from '@isthmus/replication/ports/clock';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import type { SealFault } from '@isthmus/replication/ports/log-seal';
import type { Verification } from '@isthmus/replication/ports/verification';
import type { Incident } from '@isthmus/replication/ports/incident-store';
import type { SlotHealth } from '@isthmus/replication/ports/slot-health';
import type { FigureReader } from '@isthmus/replication/progress/figures';
import { judgeSlot, slotLevels } from '@isthmus/replication/relay/slot-watch';
import { troubleParts, type TroubleView } from '@isthmus/replication/trouble';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { FigureGauges } from './figure-gauges.ts';
import { openMs, type Tombstones } from './tombstones.ts';
import { wallMs } from './wall-time.ts';

const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
/** Fine, because the hops of one change are compared with each other. */
const hopBuckets = [
  0.000_25, 0.000_5, 0.000_75, 0.001, 0.001_5, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012, 0.016, 0.025, 0.05,
  0.1, 0.25, 1, 10, 60,
];
const batchBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];

export type Hop = 'decoded' | 'relayed' | 'carried' | 'queued' | 'applied';

export interface PoolFigures {
  readonly total: number;
  readonly idle: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
}

export interface RegionMetricsOptions {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly peers: readonly RegionId[];
  readonly figures: Pick<FigureReader, 'read'>;
  readonly clock: Clock;
  /** `null` where this process watches no links. */
  readonly links: { readonly links: readonly LinkView[] } | null;
  /** The relay's slot; `null`: unknown. Must be bounded in time. */
  readonly slot: () => Promise<SlotHealth | null>;
  /** Incidents that have not ended; `null`: unknown. Must be bounded in time. */
  readonly incidents: () => Promise<readonly Incident[] | null>;
  /** What sweeps have proven; `null`: unknown. Must be bounded in time. */
  readonly verifications: () => Promise<readonly Verification[] | null>;
  /** Transfers wanted or under way; `null`: unknown. Must be bounded in time. */
  readonly openTransfers: () => Promise<number | null>;
  /** `null`: unknown. Must be bounded in time. */
  readonly tombstones: () => Promise<Tombstones | null>;
  /** Of dead letters that were given up; `null`: unknown. Must be bounded in time. */
  readonly fates: () => Promise<readonly FateCount[] | null>;
  /** Of closed dead letters that are still kept; `null`: unknown. Must be bounded in time. */
  readonly closedLetters: () => Promise<number | null>;
  /** What this process does for the region and fails at now. */
  readonly troubles: () => readonly TroubleView[];
  readonly pool: () => PoolFigures;
  /** When the last key ends by which a region is believed, in ms since the epoch; empty where logs are not signed. */
  readonly keyEnds: ReadonlyMap<RegionId, number>;
  /** RPO objectives of the tiers in use. */
  readonly objectives: readonly { readonly tier: string; readonly seconds: number }[];
}

const refusalCauses = [
  'unsigned',
  'malformed',
  'unknown-key',
  'expired-key',
  'bad-signature',
  'unreadable',
] as const satisfies readonly (SealFault | 'unreadable')[];
/** `unreadable`: what the region itself has sealed is no log record of its own. */
type RefusalCause = SealFault | (typeof refusalCauses)[number];

const gapCauses = [
  'missing-interval',
  'no-position',
  'other-incarnation',
  'slot-lost',
] as const satisfies readonly (GapCause | 'slot-lost')[];

export class RegionMetrics {
  readonly #options: RegionMetricsOptions;
  readonly #registry = new Registry();
  readonly #gauges: FigureGauges;
  readonly #latency = this.#histogram(
    'replication_latency_seconds',
    'From the commit at the origin to visible here',
    { labels: ['origin'], buckets: latencyBuckets },
  );
  readonly #writeBatchRecords = this.#histogram('write_batch_records', 'Records in one local commit', {
    labels: [],
    buckets: batchBuckets,
  });
  readonly #writeBatchSeconds = this.#histogram('write_batch_seconds', 'Time of one local commit', {
    labels: [],
    buckets: latencyBuckets,
  });
  readonly #applyBatchChanges = this.#histogram('apply_batch_changes', 'Changes in one apply transaction', {
    labels: ['origin'],
    buckets: batchBuckets,
  });
  readonly #applyBatchSeconds = this.#histogram('apply_batch_seconds', 'Time of one apply transaction', {
    labels: ['origin'],
    buckets: latencyBuckets,
  });
  readonly #hops = this.#histogram(
    'replication_hop_seconds',
    'Parts of the way of a change: at its origin decoded and relayed, at a peer carried, queued and applied',
    { labels: ['hop', 'origin'], buckets: hopBuckets },
  );
  readonly #conflicts = this.#counter('conflicts_total', 'Fields that two sides wrote unseen by each other', [
    'collection',
    'resolution',
  ]);
  readonly #gaps = this.#counter('gaps_total', 'Gaps found in the log of the origin', ['origin', 'cause']);
  readonly #transfers = this.#counter(
    'transfers_total',
    'Transfers of state outside the log that came to their end',
    ['origin', 'cause'],
  );
  readonly #guardRefusals = this.#counter(
    'guard_refusals_total',
    'Writes refused by the guard of their collection',
    ['collection'],
  );
  readonly #fenced = this.#counter('fenced_total', 'Work given up because another process had taken over', [
    'what',
  ]);
  readonly #identityRefused = this.#counter(
    'identity_refused_total',
    'Times that the database was found not to continue the past of its region',
    [],
  );
  readonly #refused = this.#counter(
    'refused_log_records_total',
    'Log records dropped because their seal, bytes, origin or partition were wrong',
    ['origin', 'cause'],
  );
  readonly #collected = this.#counter(
    'tombstones_collected_total',
    'Dead records that were dropped, or purged of what they hide so that they can be',
    ['how'],
  );
  readonly #logBytes = this.#counter('log_bytes_total', 'Bytes published to the own log, by stage', [
    'stage',
  ]);
  readonly #retainedWal = this.#gauge(
    'retained_wal_bytes',
    "Write-ahead log retained by the relay's slot; NaN: unknown",
    [],
  );
  readonly #tombstones = this.#gauge(
    'tombstones',
    'Dead records that collection has not dropped yet, counted up to a million; NaN: unknown',
    [],
  );
  readonly #barrierAge = this.#gauge(
    'barrier_age_seconds',
    'For how long the open barrier of tombstone collection has been open; 0: none is; +Inf: unknown',
    [],
  );
  readonly #openTransfers = this.#gauge('open_transfers', 'Transfers wanted or under way; NaN: unknown', []);
  readonly #safeWal = this.#gauge(
    'slot_safe_wal_bytes',
    'What may be written before Postgres gives up the slot of the relay; +Inf: no limit is set; NaN: unknown',
    [],
  );
  readonly #slotLevel = this.#gauge(
    'slot_level',
    '1 for the present level of the slot of the relay, 0 for all others; NaN: unknown',
    ['level'],
  );
  readonly #troubles = this.#gauge(
    'troubles',
    'Parts of this process that fail and are tried again: beats, telling peers of the progress, hearing of theirs, incidents',
    ['part'],
  );
  readonly #pool = this.#gauge('pool_connections', 'Database connections of this process, and who waits', [
    'state',
  ]);

  constructor(options: RegionMetricsOptions) {
    this.#options = options;
    const { region, peers } = options;
    this.#gauges = new FigureGauges({ registry: this.#registry, region, peers });
    this.#gauge('incarnation', "Counter of the region's incarnation", []).set(options.incarnation.counter);
    const objective = this.#gauge('rpo_objective_seconds', 'RPO objective of a tier in use', ['tier']);
    for (const { tier, seconds } of options.objectives) objective.set({ tier }, seconds);
    const keyEnd = this.#gauge(
      'signing_key_end_timestamp_seconds',
      'When the last key ends by which the log of a region is believed; +Inf: never',
      ['origin'],
    );
    for (const [origin, endMs] of options.keyEnds) keyEnd.set({ origin }, endMs / 1000);
    // An alert sees a counter grow from nothing, and not one that is there all at once.
    for (const origin of [region, ...peers]) {
      for (const cause of refusalCauses) this.#refused.inc({ origin, cause }, 0);
      for (const cause of gapCauses) this.#gaps.inc({ origin, cause }, 0);
    }
    collectDefaultMetrics({
      register: this.#registry,
      prefix: 'isthmus_',
      eventLoopMonitoringPrecision: 20,
    });
  }

  async scrape(): Promise<string> {
    const { figures, clock, links, pool } = this.#options;
    const { slot, incidents, verifications, openTransfers, tombstones, fates, closedLetters } = this.#options;
    const jobs = [openTransfers(), tombstones(), fates(), closedLetters()] as const;
    const asked = [figures.read(), slot(), incidents(), verifications(), ...jobs] as const;
    const [read, health, open, verified, transfers, dead, givenUp, closed] = await Promise.all(asked);
    const shown = links?.links ?? [];
    const letters = { fates: givenUp, closedLetters: closed };
    this.#gauges.set({ read, nowMs: wallMs(clock), links: shown, incidents: open, verified, ...letters });
    this.#setSlot(health);
    this.#openTransfers.set(transfers ?? Number.NaN);
    this.#tombstones.set(dead?.count ?? Number.NaN);
    const ageMs = dead === null ? Number.POSITIVE_INFINITY : (openMs(dead.barrier) ?? 0);
    this.#barrierAge.set(ageMs / 1000);
    this.#setTroubles();
    for (const [state, count] of Object.entries(pool())) this.#pool.set({ state }, count);
    return this.#registry.metrics();
  }

  #setTroubles(): void {
    const troubles = this.#options.troubles();
    for (const part of troubleParts)
      this.#troubles.set({ part }, troubles.filter((trouble) => trouble.part === part).length);
  }

  #setSlot(slot: SlotHealth | null): void {
    this.#retainedWal.set(slot?.retainedBytes ?? Number.NaN);
    const level = slot === null ? null : judgeSlot(slot);
    const isUnlimited = slot !== null && level !== 'lost' && slot.limitBytes === null;
    this.#safeWal.set(isUnlimited ? Number.POSITIVE_INFINITY : (slot?.safeBytes ?? Number.NaN));
    for (const each of slotLevels)
      this.#slotLevel.set({ level: each }, level === null ? Number.NaN : Number(each === level));
  }

  /** A change of the origin became visible here this long after its commit. */
  visible(origin: RegionId, seconds: number): void {
    this.#latency.observe({ origin }, Math.max(0, seconds));
  }

  writeBatch(records: number, seconds: number): void {
    this.#writeBatchRecords.observe(records);
    this.#writeBatchSeconds.observe(seconds);
  }

  applyBatch(origin: RegionId, changes: number, seconds: number): void {
    this.#applyBatchChanges.observe({ origin }, changes);
    this.#applyBatchSeconds.observe({ origin }, seconds);
  }

  /**
   * `decoded`: from a commit to its arrival at the relay. `relayed`: until it is taken for a publish. `carried`: from the
   * publish to the arrival at a peer, told by two clocks. `queued`: until an apply transaction begins. `applied`: until
   * that is committed.
   */
  hop(hop: Hop, origin: RegionId, seconds: number): void {
    this.#hops.observe({ hop, origin }, Math.max(0, seconds));
  }

  conflicts(collection: string, resolution: string, fields: number): void {
    this.#conflicts.inc({ collection, resolution }, fields);
  }

  gap(origin: RegionId, cause: string): void {
    this.#gaps.inc({ origin, cause });
  }

  transfer(origin: RegionId, cause: string): void {
    this.#transfers.inc({ origin, cause });
  }

  /** A write was refused by the guard of its collection. */
  guarded(collection: string): void {
    this.#guardRefusals.inc({ collection });
  }

  identityRefused(): void {
    this.#identityRefused.inc();
  }

  refused(origin: RegionId, cause: RefusalCause): void {
    this.#refused.inc({ origin, cause });
  }

  collected(dropped: number, purged: number): void {
    this.#collected.inc({ how: 'dropped' }, dropped);
    this.#collected.inc({ how: 'purged' }, purged);
  }

  fenced(what: string): void {
    this.#fenced.inc({ what });
  }

  /** Published to the own log: `raw` before compression, `compressed` after it. */
  logBytes(stage: 'raw' | 'compressed', bytes: number): void {
    this.#logBytes.inc({ stage }, bytes);
  }

  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ name: `isthmus_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name: `isthmus_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(
    name: string,
    help: string,
    shape: { readonly labels: readonly L[]; readonly buckets: readonly number[] },
  ): Histogram<L> {
    return new Histogram({
      name: `isthmus_${name}`,
      help,
      labelNames: shape.labels,
      buckets: [...shape.buckets],
      registers: [this.#registry],
    });
  }
}
