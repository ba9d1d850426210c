/**
 * Row 24: somebody else writes into the log of a region. Noise, damaged and foreign records, true ones at another place
 * and sealed by another region are dropped. What the region's own key has sealed and nobody can apply is put aside, and the
 * rest flows.
 */
import { encodeLogRecord } from '@isthmus/replication/log/log-record';
import { forge, recordIn, sealWith, underKeyOf } from '../../forging.ts';
import { query } from '../../contract/fresh-database.ts';
import { until } from '../../until.ts';
import { total } from '../gauges.ts';
import { appendLog, lastOfLog, type LogEntry, readLog } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const noticedWithinMs = 30_000;
const mendedWithinMs = 60_000;
const sampled = 20;
const largestBytes = 4_000_000;
const tooLargeBytes = 5_000_000;
const depth = 100_000;

export const poison: Scenario = {
  ...pair,
  name: 'poison',
  row: 24,
  about:
    'Noise, forged and foreign records and endless JSON are written into the log of a region, and valid ones that nobody can apply',
  run: async (stage) => {
    const refused = (): number => total(stage.parts.oracle.gauges('us'), 'refused_log_records_total');
    let sent = 0;
    await stage.during({ fault: 'the log is poisoned', strikes: [] }, async (overlap) => {
      const eu = stage.region('eu');
      const entries = await poisons(stage);
      sent = entries.length;
      await appendLog(eu, entries);
      if (await isTaken(stage)) throw new Error(`a record of ${tooLargeBytes} bytes was taken`);
      await until('all of it is refused', noticedWithinMs, () => refused() >= sent);
      await overlap(0);
    });
    let letters = 0;
    await stage.during({ fault: 'the log holds what nobody can apply', strikes: ['eu'] }, async (overlap) => {
      letters = await putAside(stage);
      await strikeOut(stage);
      await overlap(0);
    });
    return `${refused()} of ${sent} records refused, one of ${tooLargeBytes} bytes not taken by the broker; ${letters} validly sealed put aside`;
  },
};

async function isTaken(stage: Stage): Promise<boolean> {
  const huge = { partition: 0, value: Buffer.alloc(tooLargeBytes, 7) };
  return appendLog(stage.region('eu'), [huge]).then(
    () => true,
    () => false,
  );
}

async function poisons(stage: Stage): Promise<readonly LogEntry[]> {
  const own = await readLog(stage.region('eu'), sampled);
  const foreign = await readLog(stage.region('us'), sampled);
  const made = ['', '{"lsn":NaN}', '['.repeat(depth), 'x'.repeat(largestBytes)];
  const elsewhere = own.map(({ partition, value }) => ({ partition: (partition + 1) % 8, value }));
  return [
    ...made.map((text, at) => ({ partition: at, value: Buffer.from(text) })),
    ...own.map(({ partition, value }) => ({ partition, value: damaged(value, stage) })),
    ...own.map(({ partition, value }) => ({ partition, value: value.subarray(0, value.length - 1) })),
    ...elsewhere,
    ...foreign,
    ...own.flatMap(forged),
  ];
}

/** It goes on where nobody has been yet: as it is, sealed by another region, and that in the name of this one. */
function forged({ partition, value }: LogEntry): readonly LogEntry[] {
  const body = forge(value, { key: 'forged' });
  if (body === null) return [];
  const anothers = sealWith({ region: 'eu', keyOf: 'us' }, partition, body);
  return [body, anothers, underKeyOf('eu', anothers)].map((bytes) => ({ partition, value: bytes }));
}

/** One bit is another. */
function damaged(value: Buffer, { parts: { next } }: Stage): Buffer {
  const bytes = Buffer.from(value);
  const at = Math.floor(next() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(next() * 8));
  return bytes;
}

/**
 * Right behind the last true record of each partition, and reaching no further than one byte beyond it, where no commit can
 * end: so it is applied, and hides nothing of what the region writes next.
 */
async function putAside(stage: Stage): Promise<number> {
  const eu = stage.region('eu');
  const letters = (): number => total(stage.parts.oracle.gauges('us'), 'dead_letters');
  await eu.site.process.kill('SIGSTOP');
  await until('some of it is put aside', noticedWithinMs, async () => {
    await appendLog(eu, (await lastOfLog(eu)).flatMap(inapplicable));
    return letters() > 0;
  });
  await eu.site.process.kill('SIGCONT');
  return letters();
}

function inapplicable({ partition, value }: LogEntry): readonly LogEntry[] {
  const record = recordIn(value);
  if (record?.kind !== 'changes' || record.changes.some(({ key }) => key === 'poison')) return [];
  const [from, lsn] = [record.to, record.to + 1n];
  const change = { collection: 'products', key: 'poison', delta: Buffer.from('poison'), lsn, index: 0 };
  const body = encodeLogRecord({ ...record, from, to: lsn, beats: [], changes: [change] });
  return [{ partition, value: sealWith({ region: 'eu', keyOf: 'eu' }, partition, body) }];
}

/** What can never be read can never be applied, and no record holds it: an operator strikes it out. */
async function strikeOut(stage: Stage): Promise<void> {
  const us = stage.region('us');
  await until('nothing is aside any more', mendedWithinMs, async () => {
    await query(
      us.site.postgres.url,
      "UPDATE isthmus.dead_letter SET closed_at = clock_timestamp() WHERE key = 'poison' AND closed_at IS NULL",
    );
    return (await us.client.deadLetters()).length === 0;
  });
}
