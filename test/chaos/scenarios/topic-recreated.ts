/**
 * Row 19: somebody deletes the topic of changes and makes it again: while a peer is cut off, whose offset is then beyond
 * the end; while it reads; and while it is cut off for so long that its offset is again one that there is, of another
 * record. Whatever the topic held and the peer had not read is missed, counted and fetched, and nothing starts anew
 * without being seen.
 */
import { until } from '../../until.ts';
import { known, total } from '../gauges.ts';
import { changesOf, withAdmin } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const partitions = 8;
const noticedWithinMs = 90_000;
const nearSeconds = 2;

export const topicRecreated: Scenario = {
  ...pair,
  name: 'topic-recreated',
  row: 19,
  about:
    'The topic of changes is deleted and made again, while a peer reads, and while it is cut off, briefly and for long',
  run: async (stage) => {
    const [seen, under, fits] = [
      await behindCut(stage, 'shorter'),
      await underReader(stage),
      await behindCut(stage, 'longer'),
    ];
    return `behind a cut ${seen}; under its reader ${under}; behind an offset that fits again ${fits}`;
  },
};

/** `longer`: the new topic grows beyond where the reader stands before it reads on. */
async function behindCut(stage: Stage, grows: 'shorter' | 'longer'): Promise<string> {
  const { load } = stage.parts;
  const before = counts(stage);
  let told = '';
  await stage.during(
    { fault: `the topic is made again behind a cut, ${grows}`, strikes: [] },
    async (overlap) => {
      stage.setLink('eu', 'us', { state: 'cut' });
      const stood = await ends(stage);
      await overlap(2000);
      const unread = (await ends(stage)).reduce(
        (sum, end, partition) => sum + end - (stood[partition] ?? 0),
        0,
      );
      await makeAgain(stage);
      const after = load.acknowledged('eu');
      await until('eu writes on', noticedWithinMs, () => load.acknowledged('eu') > after + 20);
      if (grows === 'longer')
        await until('the new topic is longer than the old one was', noticedWithinMs, async () => {
          return (await ends(stage)).every((end, partition) => end > (stood[partition] ?? 0));
        });
      told = `${unread} records unread`;
      stage.setLink('eu', 'us', { state: 'ok' });
    },
  );
  await until('the gap is seen and repaired', noticedWithinMs, () => {
    const now = counts(stage);
    return now.gaps > before.gaps && now.transfers > before.transfers;
  });
  await whole(stage);
  const now = counts(stage);
  return `${told}, ${now.gaps - before.gaps} gaps, ${now.transfers - before.transfers} transfers`;
}

/** Whether there is anything that it had not read is chance; that it reads on is not. */
async function underReader(stage: Stage): Promise<string> {
  const before = counts(stage);
  await stage.during({ fault: 'the topic is made again under its reader', strikes: [] }, async (overlap) => {
    await makeAgain(stage);
    await overlap(2000);
  });
  const key = `after-${stage.parts.load.prefix}`;
  await stage.region('eu').client.put('products', key, { title: key });
  await until('us has what came after', noticedWithinMs, async () => {
    return (await stage.region('us').client.get('products', key)).status === 200;
  });
  await whole(stage);
  const now = counts(stage);
  return `${now.gaps - before.gaps} gaps, ${now.transfers - before.transfers} transfers`;
}

function counts(stage: Stage): { readonly gaps: number; readonly transfers: number } {
  const gauges = stage.parts.oracle.gauges('us');
  return { gaps: total(gauges, 'gaps_total'), transfers: total(gauges, 'transfers_total') };
}

/** The peer has what the origin has, and the log takes what comes. */
async function whole(stage: Stage): Promise<void> {
  const { oracle } = stage.parts;
  await until('the peer has caught up', noticedWithinMs, () => {
    const lag = known(oracle.gauges('us'), 'replication_lag_seconds{origin="eu",target="us"}');
    const log = known(oracle.gauges('eu'), 'rpo_seconds{peer="log"}');
    return Math.max(lag ?? Infinity, log ?? Infinity) < nearSeconds;
  });
}

/** Of the partitions, in their order. */
async function ends(stage: Stage): Promise<readonly number[]> {
  const eu = stage.region('eu');
  const offsets = await withAdmin(eu, (admin) => admin.fetchTopicOffsets(changesOf(eu)));
  return offsets.toSorted((one, other) => one.partition - other.partition).map(({ high }) => Number(high));
}

async function makeAgain(stage: Stage): Promise<void> {
  const eu = stage.region('eu');
  await withAdmin(eu, async (admin) => {
    await admin.deleteTopics({ topics: [changesOf(eu)] });
    await until('the topic is gone', noticedWithinMs, async () => {
      return !(await admin.listTopics()).includes(changesOf(eu));
    });
    const topics = [{ topic: changesOf(eu), numPartitions: partitions }];
    await until('the topic is made again', noticedWithinMs, () => admin.createTopics({ topics }));
  });
}
