/** Row 3: two regions are cut from each other, and a third sees both: it serves, and has what both of them wrote. */
import { until } from '../../until.ts';
import { type Scenario, three } from '../scenario.ts';

const flaggedWithinMs = 25_000;

export const nonTransitive: Scenario = {
  ...three,
  name: 'non-transitive',
  row: 3,
  about: 'Two of three regions are cut from each other; the third sees both',
  run: async (stage) => {
    const [eu, us, ap] = [stage.region('eu'), stage.region('us'), stage.region('ap')];
    await stage.during({ fault: 'eu and us are cut from each other', strikes: [] }, async (overlap) => {
      stage.setLinks('eu', 'us', { state: 'cut' });
      await until('eu says partitioned', flaggedWithinMs, async () => {
        return (await eu.client.peer('us')).link === 'partitioned';
      });
      await overlap(5000);
      for (const { name, client } of [eu, us]) {
        await client.put('products', `seen-${name}`, { title: name });
        await until(`ap has what ${name} wrote`, flaggedWithinMs, async () => {
          return (await ap.client.get('products', `seen-${name}`)).status === 200;
        });
        const { link } = await ap.client.peer(name);
        if (link !== 'connected') throw new Error(`ap says ${link} of ${name}`);
      }
      const unseen = await us.client.get('products', 'seen-eu');
      if (unseen.status !== 404) throw new Error('us has what eu wrote, so nothing was cut');
      stage.setLinks('eu', 'us', { state: 'ok' });
    });
    return 'eu said partitioned; ap stayed connected to both and had the writes of both';
  },
};
