/** Row 10: the active process is stopped, another takes over, and the first one wakes: it must do no harm then. */
import { until } from '../../until.ts';
import { between } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';

const takeoverDeadlineMs = 40_000;

export const paused: Scenario = {
  ...pair,
  name: 'paused',
  row: 10,
  about: 'The active process of a region is stopped, another takes over, the first wakes',
  run: async (stage) => {
    const [eu, us] = [stage.region('eu'), stage.region('us')];
    const another = await us.site.startAnother();
    await stage.during({ fault: 'the active process is stopped', strikes: ['us'] }, async (overlap) => {
      await us.site.process.kill('SIGSTOP');
      const key = `after-${stage.parts.load.prefix}`;
      await eu.client.put('products', key, { title: key });
      await until('the other process has taken over', takeoverDeadlineMs, async () => {
        const found = await fetch(`${another.api}/v1/collections/products/records/${key}`);
        return found.status === 200;
      });
      await overlap(between(stage.parts.next, 1000, 6000));
      await us.site.process.kill('SIGCONT');
    });
    return 'another process applied while the first was stopped, and the first woke up beside it';
  },
};
