import { linkStates } from '@isthmus/replication/links/link-monitor';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { DeadLetterCount } from '@isthmus/replication/ports/record-store';
import type { SlotHealth } from '@isthmus/replication/ports/slot-health';
import type { FiguresRead } from '@isthmus/replication/progress/figures';
import { expect, test } from 'vitest';
import { RegionMetrics, type RegionMetricsOptions } from './metrics.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const gone = parseRegionId('gone') ?? expect.fail('gone is a region');
const incarnation = { counter: 3, nonce: 1 };
const nowMs = 1_700_000_000_000;
const beat = { number: 1, count: 8, atMs: nowMs - 250, lsn: 1n, end: 1n };

const full: FiguresRead = {
  isCurrent: true,
  ageMs: 2,
  figures: {
    own: { newest: beat, newestCounted: beat, logCoveredAtMs: nowMs - 500, logCount: 7 },
    deadLetters: [{ origin: us, cause: 'malformed', count: 2, bytes: 16 * 1024 * 1024 }],
    readAtMs: 0,
    peers: [
      {
        peer: us,
        rpo: { peer: us, coveredAtMs: nowMs - 2000, settledCount: 3 },
        heard: { origin: us, incarnation, beat, receivedAtMs: nowMs },
        positions: { incarnation, settled: [1n], beat: { ...beat, count: 4, atMs: nowMs - 1000 } },
        clockOffset: { offsetMs: 250, errorMs: 10, measuredAtMs: nowMs },
        told: null,
        earlierOffsets: [],
      },
    ],
  },
};
const swept = { throughMs: nowMs - 3000, cleanSweep: 1, diverged: false, sweptAtMs: nowMs };
const verified = [{ peer: us, ...swept, isWanted: false }];
const barrier = { completed: 4, open: 5, openedAtMs: 1000, completedAtMs: 900, readAtMs: 4500 };
const dead = { count: 12, barrier };
const nothing: FiguresRead = { figures: null, isCurrent: false, ageMs: null };

function withLetters(deadLetters: readonly DeadLetterCount[]): FiguresRead {
  return { ...full, figures: full.figures && { ...full.figures, deadLetters } };
}

function metrics(
  read: FiguresRead,
  slot: SlotHealth | null = null,
  figures: RegionMetricsOptions['figures'] = { read: () => Promise.resolve(read) },
): RegionMetrics {
  return new RegionMetrics({
    region: eu,
    incarnation,
    peers: [us],
    figures,
    clock: { nowMs: () => nowMs },
    links: {
      links: [{ peer: us, state: { kind: 'suspected' } }],
    },
    slot: () => Promise.resolve(slot),
    incidents: () => Promise.resolve([]),
    verifications: () => Promise.resolve(read.figures === null ? null : verified),
    openTransfers: () => Promise.resolve(read.figures === null ? null : 2),
    tombstones: () => Promise.resolve(read.figures === null ? null : dead),
    fates: () => Promise.resolve(read.figures === null ? null : [{ origin: us, fate: 'repaired', count: 2 }]),
    closedLetters: () => Promise.resolve(read.figures === null ? null : 9),
    pool: () => ({ total: 4, idle: 3, waiting: 0 }),
    troubles: () => [{ part: 'hearing', peer: us, detail: 'the version is 9' }],
    keyEnds: new Map([
      [eu, Number.POSITIVE_INFINITY],
      [us, 1_800_000_000_000],
    ]),
    objectives: [{ tier: 'gold', seconds: 60 }],
  });
}

/** The values of all samples of ours, by name and labels as they stand in the text. */
async function scraped(from: RegionMetrics): Promise<ReadonlyMap<string, string>> {
  const lines = (await from.scrape()).split('\n').filter((line) => line.startsWith('isthmus_'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  );
}

test('lag, RPO and links stand under their names', async () => {
  const samples = await scraped(
    metrics(full, { retainedBytes: 4096, walStatus: 'reserved', safeBytes: null, limitBytes: null }),
  );
  expect(Object.fromEntries(samples)).toMatchObject({
    'isthmus_replication_lag_seconds{origin="us",target="eu"}': '0.75',
    'isthmus_replication_backlog_changes{origin="us"}': '4',
    'isthmus_rpo_seconds{peer="us"}': '2',
    'isthmus_rpo_seconds{peer="log"}': '0.5',
    'isthmus_rpo_changes{peer="us"}': '5',
    'isthmus_rpo_changes{peer="log"}': '1',
    'isthmus_replicated_through_timestamp_seconds{peer="us"}': '1699999998',
    'isthmus_clock_offset_seconds{peer="us"}': '0.25',
    'isthmus_clock_offset_error_seconds{peer="us"}': '0.01',
    isthmus_beat_age_seconds: '0.25',
    isthmus_incarnation: '3',
    'isthmus_rpo_objective_seconds{tier="gold"}': '60',
    'isthmus_signing_key_end_timestamp_seconds{origin="eu"}': '+Inf',
    'isthmus_signing_key_end_timestamp_seconds{origin="us"}': '1800000000',
    'isthmus_dead_letters{origin="us",cause="malformed"}': '2',
    'isthmus_dead_letters{origin="us",cause="too-large"}': '0',
    'isthmus_dead_letters_fill_ratio{origin="us"}': '0.25',
    isthmus_closed_dead_letters: '9',
    'isthmus_given_up_dead_letters{origin="us",fate="repaired"}': '2',
    'isthmus_given_up_dead_letters{origin="eu",fate="lost"}': '0',
    isthmus_retained_wal_bytes: '4096',
    isthmus_open_transfers: '2',
    isthmus_tombstones: '12',
    isthmus_barrier_age_seconds: '3.5',
    'isthmus_verified_through_timestamp_seconds{peer="us"}': '1699999997',
    'isthmus_diverged{peer="us"}': '0',
    isthmus_slot_safe_wal_bytes: '+Inf',
    'isthmus_slot_level{level="ok"}': '1',
    'isthmus_split_brain{peer="us"}': '0',
    isthmus_incident_seconds: '0',
    'isthmus_pool_connections{state="idle"}': '3',
    'isthmus_troubles{part="telling"}': '0',
    'isthmus_troubles{part="hearing"}': '1',
    'isthmus_troubles{part="incidents"}': '0',
  });
  const states = linkStates.map((state) => samples.get(`isthmus_link_state{peer="us",state="${state}"}`));
  expect(states).toEqual(['0', '1', '0', '0', '0', '0', '0']);
});

test('what is unknown is never zero, and no series is missing', async () => {
  const known = await scraped(metrics(full));
  const unknown = await scraped(metrics(nothing));
  for (const name of known.keys()) expect(unknown.has(name)).toBe(true);
  const infinite = [
    'replication_lag_seconds{origin="us",target="eu"}',
    'rpo_seconds{peer="us"}',
    'rpo_seconds{peer="log"}',
    'clock_offset_error_seconds{peer="us"}',
    'beat_age_seconds',
    'barrier_age_seconds',
    'figures_age_seconds',
  ];
  for (const name of infinite) expect([name, unknown.get(`isthmus_${name}`)]).toEqual([name, '+Inf']);
  const noNumber = [
    'replication_backlog_changes{origin="us"}',
    'rpo_changes{peer="us"}',
    'rpo_changes{peer="log"}',
    'replicated_through_timestamp_seconds{peer="us"}',
    'replicated_through_timestamp_seconds{peer="log"}',
    'clock_offset_seconds{peer="us"}',
    'dead_letters{origin="us",cause="malformed"}',
    'given_up_dead_letters{origin="us",fate="lost"}',
    'dead_letters_fill_ratio{origin="us"}',
    'closed_dead_letters',
    'retained_wal_bytes',
    'open_transfers',
    'tombstones',
    'verified_through_timestamp_seconds{peer="us"}',
    'diverged{peer="us"}',
    'slot_safe_wal_bytes',
    'slot_level{level="ok"}',
  ];
  for (const name of noNumber) expect([name, unknown.get(`isthmus_${name}`)]).toEqual([name, 'Nan']);
});

test('dead letters are counted for whomever they are of, also the region itself and one that is no peer (P4, P9)', async () => {
  const letters = [
    { origin: eu, cause: 'clock-too-far-ahead', count: 10_000, bytes: 1 },
    { origin: gone, cause: 'newer-format', count: 2, bytes: 1 },
  ] as const;
  let read = withLetters(letters);
  const watched = metrics(full, null, { read: () => Promise.resolve(read) });
  const open = {
    'isthmus_dead_letters{origin="eu",cause="clock-too-far-ahead"}': '10000',
    'isthmus_dead_letters_fill_ratio{origin="eu"}': '0.5',
    'isthmus_dead_letters{origin="gone",cause="newer-format"}': '2',
    'isthmus_dead_letters_fill_ratio{origin="gone"}': '0.0001',
  };
  expect(Object.fromEntries(await scraped(watched))).toMatchObject(open);
  read = withLetters([]);
  const closed = Object.fromEntries(Object.keys(open).map((name) => [name, '0']));
  expect(Object.fromEntries(await scraped(watched))).toMatchObject(closed);
});

test('with older figures dead letters are withheld and ages stand', async () => {
  const samples = await scraped(metrics({ ...full, isCurrent: false }));
  expect(samples.get('isthmus_dead_letters{origin="us",cause="malformed"}')).toBe('Nan');
  expect(samples.get('isthmus_rpo_seconds{peer="us"}')).toBe('2');
});

test('what alerts see grow begins at 0, so that also the first gap of a process that was restarted is seen', async () => {
  const samples = await scraped(metrics(full));
  for (const cause of ['missing-interval', 'no-position', 'other-incarnation', 'slot-lost'])
    for (const origin of ['eu', 'us'])
      expect(samples.get(`isthmus_gaps_total{origin="${origin}",cause="${cause}"}`), cause).toBe('0');
});

test('work is counted where it happens', async () => {
  const counted = metrics(full);
  counted.visible(us, 0.004);
  counted.visible(us, -1);
  counted.writeBatch(12, 0.002);
  counted.applyBatch(us, 300, 0.03);
  counted.hop('carried', us, 0.001_2);
  counted.hop('carried', us, -1);
  counted.conflicts('products', 'shown', 2);
  counted.gap(us, 'missing-interval');
  counted.transfer(us, 'gap');
  counted.fenced('applier');
  counted.collected(5, 2);
  counted.logBytes('raw', 1000);
  counted.logBytes('compressed', 150);
  expect(Object.fromEntries(await scraped(counted))).toMatchObject({
    'isthmus_replication_latency_seconds_count{origin="us"}': '2',
    'isthmus_replication_latency_seconds_bucket{le="0.001",origin="us"}': '1',
    isthmus_write_batch_records_sum: '12',
    isthmus_write_batch_seconds_count: '1',
    'isthmus_apply_batch_changes_sum{origin="us"}': '300',
    'isthmus_apply_batch_seconds_count{origin="us"}': '1',
    'isthmus_replication_hop_seconds_bucket{le="0.00025",hop="carried",origin="us"}': '1',
    'isthmus_replication_hop_seconds_bucket{le="0.0015",hop="carried",origin="us"}': '2',
    'isthmus_conflicts_total{collection="products",resolution="shown"}': '2',
    'isthmus_gaps_total{origin="us",cause="missing-interval"}': '1',
    'isthmus_transfers_total{origin="us",cause="gap"}': '1',
    'isthmus_fenced_total{what="applier"}': '1',
    'isthmus_tombstones_collected_total{how="dropped"}': '5',
    'isthmus_tombstones_collected_total{how="purged"}': '2',
    'isthmus_log_bytes_total{stage="raw"}': '1000',
    'isthmus_log_bytes_total{stage="compressed"}': '150',
  });
});
