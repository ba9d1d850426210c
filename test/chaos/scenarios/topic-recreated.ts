/** Row 19: somebody deletes the topic of changes and makes it again: what it held is missed, and nothing starts anew. */
import { until } from '../../until.ts';
import { total } from '../gauges.ts';
import { changesOf, withAdmin } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';

const partitions = 8;
const noticedWithinMs = 90_000;

export const topicRecreated: Scenario = {
  ...pair,
  name: 'topic-recreated',
  row: 19,
  about: 'The topic of changes is deleted while a peer is cut off, and made again',
  run: async (stage) => {
    const { oracle } = stage.parts;
    const eu = stage.region('eu');
    await stage.during({ fault: 'the topic is deleted and made again', strikes: [] }, async (overlap) => {
      stage.setLink('eu', 'us', { state: 'cut' });
      await overlap(2000);
      await withAdmin(eu, async (admin) => {
        await admin.deleteTopics({ topics: [changesOf(eu)] });
        await until('the topic is gone', noticedWithinMs, async () => {
          return !(await admin.listTopics()).includes(changesOf(eu));
        });
        const topics = [{ topic: changesOf(eu), numPartitions: partitions }];
        await until('the topic is made again', noticedWithinMs, () => admin.createTopics({ topics }));
      });
      stage.setLink('eu', 'us', { state: 'ok' });
    });
    const count = (name: string): number => total(oracle.gauges('us'), name);
    await until('the gap is seen and repaired', noticedWithinMs, () => {
      return count('gaps_total') > 0 && count('transfers_total') > 0;
    });
    return `${count('gaps_total')} gaps, ${count('transfers_total')} transfers`;
  },
};
