/**
 * Row 20: the remembered offsets are set back, forward, to nothing, and behind records that nobody has read yet; they are hints,
 * so what they pass over is missed and read, and nothing is lost or doubled.
 */
import { query } from '../../contract/fresh-database.ts';
import { until } from '../../until.ts';
import { changesOf, withAdmin } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const readyDeadlineMs = 60_000;
const unread = 200;
const passedOver = 3;
const tampered = [
  ['back', 'greatest(0, next_offset / 2)'],
  ['forward', 'next_offset + 1000000'],
  ['lost', '0'],
  ['behind unread records', `next_offset + ${passedOver}`],
] as const;

export const offsets: Scenario = {
  ...pair,
  name: 'offsets',
  row: 20,
  about: 'The offsets of a reader are set back, forward, to nothing and behind records that it has not read',
  run: async (stage) => {
    const { site } = stage.region('us');
    const { load } = stage.parts;
    let rows = 0;
    let hidden = 0;
    await stage.during({ fault: 'the offsets are wrong', strikes: ['us'] }, async (overlap) => {
      for (const [, sql] of tampered) {
        await site.process.kill('SIGKILL');
        const written = load.acknowledged('eu');
        await until('the log goes on', readyDeadlineMs, () => load.acknowledged('eu') > written + unread);
        const changed = await query(
          site.postgres.url,
          `UPDATE isthmus.position SET next_offset = ${sql} WHERE origin = 'eu' RETURNING partition, next_offset::float8`,
        );
        rows += changed.length;
        hidden = await withRecordsAfter(stage, changed);
        await site.process.restart();
        const before = load.acknowledged('us');
        await until('the region works', readyDeadlineMs, () => load.acknowledged('us') > before + 50);
      }
      await overlap(0);
    });
    if (rows === 0) throw new Error('no offset was changed');
    if (hidden === 0) throw new Error('no offset was set behind a record that was there and not read');
    return `${rows} offsets set ${tampered.map(([how]) => how).join(', ')}; ${hidden} of the last within the log`;
  },
};

/** How many offsets lie within the log, so that reading goes on there as if nothing were missing. */
async function withRecordsAfter(
  stage: Stage,
  changed: readonly Readonly<Record<string, unknown>>[],
): Promise<number> {
  const eu = stage.region('eu');
  const ends = await withAdmin(eu, (admin) => admin.fetchTopicOffsets(changesOf(eu)));
  const highs = new Map(ends.map(({ partition, high }) => [partition, Number(high)]));
  return changed.filter(({ partition, next_offset: next }) => {
    return Number(next) < (highs.get(Number(partition)) ?? 0);
  }).length;
}
