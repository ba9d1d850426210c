/** Row 1: a region is cut from its peer, both write on, both say so, and both catch up. */
import { until } from '../../until.ts';
import { between } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';

const flaggedWithinMs = 20_000;

export const partition: Scenario = {
  ...pair,
  name: 'partition',
  row: 1,
  about: 'Both directions between two regions are cut',
  run: async (stage) => {
    const heldMs = between(stage.parts.next, 5000, 9000);
    const fault = { fault: 'the regions are cut from each other', strikes: [] };
    await stage.during(fault, async (overlap) => {
      stage.setLinks('eu', 'us', { state: 'cut' });
      for (const [name, peer] of directions)
        await until(`${name} says partitioned`, flaggedWithinMs, async () => {
          return (await stage.region(name).client.peer(peer)).link === 'partitioned';
        });
      await overlap(heldMs);
      for (const { client, name } of stage.parts.regions)
        if (!(await client.isReady())) throw new Error(`${name} is not ready in a partition`);
      stage.setLinks('eu', 'us', { state: 'ok' });
    });
    const incidents = await until('an incident is recorded', flaggedWithinMs, async () => {
      const [newest] = await stage.region('eu').client.incidents();
      return newest?.splitBrain === true ? newest : null;
    });
    return `both said partitioned; incident with ${JSON.stringify(incidents.writes)} writes`;
  },
};

const directions = [
  ['eu', 'us'],
  ['us', 'eu'],
] as const;
