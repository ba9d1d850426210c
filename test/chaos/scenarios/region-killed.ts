/** Row 8: the process of a region is killed again and again under load; its callers see "unknown", nothing is torn. */
import { until } from '../../until.ts';
import { between } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';

const kills = 6;
const readyDeadlineMs = 60_000;

export const regionKilled: Scenario = {
  ...pair,
  name: 'region-killed',
  row: 8,
  about: `The process of a region is killed ${kills} times under load`,
  run: async (stage) => {
    const { load, next } = stage.parts;
    const { site } = stage.region('eu');
    const pids = new Set<number>();
    await stage.during({ fault: 'the process is killed in a loop', strikes: ['eu'] }, async (overlap) => {
      for (let kill = 0; kill < kills; kill++) {
        const before = load.acknowledged('eu');
        const writes = Math.round(between(next, 20, 120));
        await until('the region works', readyDeadlineMs, () => load.acknowledged('eu') >= before + writes);
        pids.add(site.process.pid());
        await site.process.kill('SIGKILL');
        await site.process.restart();
      }
      await overlap(0);
    });
    if (pids.size < kills) throw new Error(`${pids.size} processes were killed, not ${kills}`);
    const unknown = load.events.filter(({ region, result }) => region === 'eu' && result === 'info').length;
    return `${pids.size} processes killed, ${unknown} outcomes unknown`;
  },
};
