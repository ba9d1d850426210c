/**
 * Row 19: somebody deletes the topic of changes and makes it again, while a peer is cut off and then while it reads: what
 * it held is missed, and nothing starts anew without being seen.
 */
import { until } from '../../until.ts';
import { total } from '../gauges.ts';
import { changesOf, withAdmin } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const partitions = 8;
const noticedWithinMs = 90_000;

export const topicRecreated: Scenario = {
  ...pair,
  name: 'topic-recreated',
  row: 19,
  about: 'The topic of changes is deleted and made again, while a peer is cut off and while it reads',
  run: async (stage) => {
    const count = (name: string): number => total(stage.parts.oracle.gauges('us'), name);
    await stage.during({ fault: 'the topic is made again behind a cut', strikes: [] }, async (overlap) => {
      stage.setLink('eu', 'us', { state: 'cut' });
      await overlap(2000);
      await makeAgain(stage);
      stage.setLink('eu', 'us', { state: 'ok' });
    });
    await until('the gap is seen and repaired', noticedWithinMs, () => {
      return count('gaps_total') > 0 && count('transfers_total') > 0;
    });
    await stage.during(
      { fault: 'the topic is made again under its reader', strikes: [] },
      async (overlap) => {
        await makeAgain(stage);
        await overlap(2000);
      },
    );
    const key = `after-${stage.parts.load.prefix}`;
    await stage.region('eu').client.put('products', key, { title: key });
    await until('us has what came after', noticedWithinMs, async () => {
      return (await stage.region('us').client.get('products', key)).status === 200;
    });
    return `${count('gaps_total')} gaps, ${count('transfers_total')} transfers`;
  },
};

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
