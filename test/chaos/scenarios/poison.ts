/**
 * Row 24: somebody else writes into the log of a region. Whatever the region's own key has not sealed for this place is
 * dropped, by name of what is wrong with its seal. What that key has sealed and nobody can apply is put aside, each with its
 * reason, or dropped where it is no record at all; and the rest flows.
 */
import { encodeLogRecord } from '@isthmus/replication/log/log-record';
import kafkajs from 'kafkajs';
import { forge, recordIn, sealWith, underKeyOf } from '../../forging.ts';
import { query } from '../../contract/fresh-database.ts';
import { until } from '../../until.ts';
import { known, total } from '../gauges.ts';
import { appendLog, lastOfLog, type LogEntry, readLog } from '../kafka-tools.ts';
import { largePoison, type PoisonChange, smallPoison } from '../poison-changes.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const noticedWithinMs = 60_000;
const mendedWithinMs = 60_000;
const sampled = 20;
const largestBytes = 4_000_000;
const tooLargeBytes = 5_000_000;
const depth = 100_000;
const keys = 'poison/';
const allPoison = [...smallPoison, largePoison];

export const poison: Scenario = {
  ...pair,
  name: 'poison',
  row: 24,
  about:
    'Noise, forged and foreign records, NaN, endless JSON and 5 MB are written into the log of a region, and valid ones that nobody can apply',
  run: async (stage) => {
    let sent = 0;
    let named = '';
    await stage.during({ fault: 'the log is poisoned', strikes: [], between: [] }, async (overlap) => {
      named = await dropped(stage);
      const eu = stage.region('eu');
      const entries = await mixed(stage);
      sent = refused(stage) + entries.length;
      await appendLog(eu, entries);
      if (await isTaken(stage)) throw new Error(`a record of ${tooLargeBytes} bytes was taken`);
      await until('all of it is refused', noticedWithinMs, () => refused(stage) >= sent);
      await overlap(0);
    });
    let letters = '';
    await stage.during({ fault: 'the log holds what nobody can apply', strikes: ['eu'] }, async (overlap) => {
      letters = await putAside(stage);
      await strikeOut(stage);
      await overlap(0);
    });
    return `${sent} records dropped, of the known ones ${named}; one of ${tooLargeBytes} bytes not taken by the broker; put aside ${letters}`;
  },
};

function refused(stage: Stage): number {
  return total(stage.parts.oracle.gauges('us'), 'refused_log_records_total');
}

function refusedByCause(stage: Stage): ReadonlyMap<string, number> {
  const series = /^refused_log_records_total\{origin="eu",cause="(.+)"\}$/;
  const counts = [...stage.parts.oracle.gauges('us')].map(
    ([name, count]) => [series.exec(name)?.[1] ?? '', count] as const,
  );
  return new Map(counts.filter(([cause, count]) => cause !== '' && count > 0));
}

/** A log entry, and what is wrong with it in the words of the alarm. */
interface Known extends LogEntry {
  readonly cause: string;
}

/** Each poison without a seal, sealed by another region, and that in the name of this one; and no records under the own seal. */
async function dropped(stage: Stage): Promise<string> {
  const eu = stage.region('eu');
  const entries = [...(await unsealed(stage)), ...sealedNoise()];
  await appendLog(eu, entries, kafkajs.CompressionTypes.GZIP);
  const expected = counted(entries.map(({ cause }) => cause));
  const found = await until('each is dropped by its name', noticedWithinMs, () => {
    const told = shownCounts(refusedByCause(stage));
    if (told === shownCounts(expected)) return told;
    throw new Error(`${told}, expected ${shownCounts(expected)}`);
  });
  const aside = await stage.region('us').client.deadLetters();
  if (aside.length > 0) throw new Error(`${aside.length} changes that were to be dropped were put aside`);
  return found;
}

async function unsealed(stage: Stage): Promise<readonly Known[]> {
  const sealedOnes = await readLog(stage.region('eu'), sampled);
  const place = sealedOnes.find(({ value }) => recordIn(value)?.kind === 'changes');
  const record = place === undefined ? null : recordIn(place.value);
  if (place === undefined || record?.kind !== 'changes') throw new Error('the log of eu holds no changes');
  const { partition } = place;
  const to = record.to + 1_000_000n;
  const at = (value: Buffer, cause: string): Known => ({ partition, value, cause });
  return allPoison.flatMap((each) => {
    const body = encodeLogRecord({ ...record, to, changes: [changeOf(each, to, 0)] });
    const anothers = sealWith({ region: 'eu', keyOf: 'us' }, partition, body);
    return [
      at(body, 'unsigned'),
      at(anothers, 'unknown-key'),
      at(underKeyOf('eu', anothers), 'bad-signature'),
    ];
  });
}

/** Whoever has the key of a region can also seal what is no record. */
function sealedNoise(): readonly Known[] {
  return noise(tooLargeBytes).map((value, partition) => ({
    partition,
    value: sealWith({ region: 'eu', keyOf: 'eu' }, partition, value),
    cause: value.length === 0 ? 'malformed' : 'unreadable',
  }));
}

function noise(bytes: number): readonly Buffer[] {
  return ['', '{"lsn":NaN}', '['.repeat(depth), 'x'.repeat(bytes)].map((text) => Buffer.from(text));
}

function counted(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function shownCounts(counts: ReadonlyMap<string, number>): string {
  const shown = [...counts].map(([name, count]) => `${count} ${name}`);
  return shown.toSorted().join(', ');
}

async function isTaken(stage: Stage): Promise<boolean> {
  const huge = { partition: 0, value: Buffer.alloc(tooLargeBytes, 7) };
  return appendLog(stage.region('eu'), [huge]).then(
    () => true,
    () => false,
  );
}

/** What is wrong with the seal of each of these depends on where it was damaged. */
async function mixed(stage: Stage): Promise<readonly LogEntry[]> {
  const own = await readLog(stage.region('eu'), sampled);
  const foreign = await readLog(stage.region('us'), sampled);
  const elsewhere = own.map(({ partition, value }) => ({ partition: (partition + 1) % 8, value }));
  return [
    ...noise(largestBytes).map((value, partition) => ({ partition, value })),
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
 * Right behind the last true record of each partition, and reaching no further than two bytes beyond it, where no commit can
 * end: so it is applied, and hides nothing of what the region writes next.
 */
async function putAside(stage: Stage): Promise<string> {
  const eu = stage.region('eu');
  await eu.site.process.kill('SIGSTOP');
  const sent: PoisonChange[] = [];
  await until('each is put aside with its reason', noticedWithinMs, async () => {
    const entries = (await lastOfLog(eu)).flatMap((last, at) => inapplicable(last, at === 0));
    await appendLog(
      eu,
      entries.map(({ entry }) => entry),
      kafkajs.CompressionTypes.GZIP,
    );
    sent.push(...entries.flatMap(({ changes }) => changes));
    return areAside(stage, sent);
  });
  await eu.site.process.kill('SIGCONT');
  await restFlows(stage);
  if (!(await areAside(stage, sent))) throw new Error('some of it is no longer aside');
  return shownCounts(counted(sent.map(({ cause }) => cause)));
}

interface Inapplicable {
  readonly entry: LogEntry;
  readonly changes: readonly PoisonChange[];
}

/** All that are small in one record, and in one partition a large one behind it; nothing where this was done before. */
function inapplicable({ partition, value }: LogEntry, isFirst: boolean): readonly Inapplicable[] {
  const record = recordIn(value);
  if (record?.kind !== 'changes' || record.changes.some(({ key }) => key.startsWith(keys))) return [];
  const sealed = (from: bigint, changes: readonly PoisonChange[]): Inapplicable => {
    const to = from + 1n;
    const placed = changes.map((each, index) => changeOf(each, to, index));
    const body = encodeLogRecord({ ...record, from, to, beats: [], changes: placed });
    const bytes = sealWith({ region: 'eu', keyOf: 'eu' }, partition, body);
    return { entry: { partition, value: bytes }, changes };
  };
  const small = sealed(record.to, smallPoison);
  return isFirst ? [small, sealed(record.to + 1n, [largePoison])] : [small];
}

function changeOf({ name, delta }: PoisonChange, lsn: bigint, index: number) {
  return { collection: 'products', key: `${keys}${name}`, delta, lsn, index };
}

/** Throws where a reason is not the one that it has to be. */
async function areAside(stage: Stage, sent: readonly PoisonChange[]): Promise<boolean> {
  const { client } = stage.region('us');
  const letters = await client.deadLetters();
  for (const { name, cause, detail } of allPoison) {
    const own = letters.filter(({ key }) => key === `${keys}${name}`);
    const odd = own.find((letter) => letter.cause !== cause || !detail.test(letter.detail));
    if (odd !== undefined) throw new Error(`${name} was put aside as ${odd.cause}: ${odd.detail}`);
    const count = sent.filter((each) => each.name === name).length;
    if (own.length !== count) throw new Error(`${own.length} of ${count} with ${name} are aside`);
    const alarm = known(stage.parts.oracle.gauges('us'), `dead_letters{origin="eu",cause="${cause}"}`) ?? 0;
    if (alarm < count) throw new Error(`${alarm} are told of as ${cause}`);
  }
  return sent.length > 0;
}

/** While all of it is aside. */
async function restFlows(stage: Stage): Promise<void> {
  const key = `${keys}beside`;
  await until('eu takes a write', noticedWithinMs, async () => {
    return (await stage.region('eu').client.put('products', key, { title: key })).status < 300;
  });
  await until('us has what was written beside the poison', noticedWithinMs, async () => {
    return (await stage.region('us').client.get('products', key)).status === 200;
  });
}

/** What can never be read can never be applied, and no record holds it: an operator strikes it out. */
async function strikeOut(stage: Stage): Promise<void> {
  const us = stage.region('us');
  await until('nothing is aside any more', mendedWithinMs, async () => {
    await query(
      us.site.postgres.url,
      `UPDATE isthmus.dead_letter SET closed_at = clock_timestamp() WHERE key LIKE '${keys}%' AND closed_at IS NULL`,
    );
    return (await us.client.deadLetters()).length === 0;
  });
}
