/** Row 2: one direction is cut; the other goes on, and both sides name what it is. */
import { until } from '../../until.ts';
import { pair, type Scenario } from '../scenario.ts';

const flaggedWithinMs = 25_000;

export const oneWay: Scenario = {
  ...pair,
  name: 'one-way',
  row: 2,
  about: 'One direction between two regions is cut',
  run: async (stage) => {
    const [eu, us] = [stage.region('eu'), stage.region('us')];
    await stage.during({ fault: 'nothing passes from eu to us', strikes: [] }, async (overlap) => {
      stage.setLink('eu', 'us', { state: 'cut' });
      await until('both sides name it', flaggedWithinMs, async () => {
        const links = [(await eu.client.peer('us')).link, (await us.client.peer('eu')).link];
        if (links.join() === 'one-way-out,one-way-in') return true;
        throw new Error(links.join());
      });
      await overlap(5000);
      stage.setLink('eu', 'us', { state: 'ok' });
    });
    return 'eu said one-way-out, us said one-way-in';
  },
};
