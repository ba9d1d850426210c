/** Row 4: a link that comes and goes; nothing grows with the number of its turns, and nobody calls it connected. */
import { setTimeout as delay } from 'node:timers/promises';
import { between } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const cycles = 100;
const shortestMs = 60;
const longestMs = 240;
const mostConnections = 100;
const mostGrowthBytes = 200 * 1024 * 1024;
/** By then the first turns have been noticed. */
const settledCycle = 40;

export const flapping: Scenario = {
  ...pair,
  name: 'flapping',
  row: 4,
  about: `A link is cut and healed ${cycles} times`,
  run: async (stage) => {
    const { next, links, oracle } = stage.parts;
    const memory = (): number => oracle.gauges('eu').get('process_resident_memory_bytes') ?? 0;
    const before = memory();
    let [most, connected] = [0, 0];
    await stage.during({ fault: 'the link flaps', strikes: [] }, async (overlap) => {
      for (let cycle = 0; cycle < cycles; cycle++) {
        stage.setLinks('eu', 'us', { state: 'cut' });
        await delay(between(next, shortestMs, longestMs));
        stage.setLinks('eu', 'us', { state: 'ok' });
        await delay(between(next, shortestMs, longestMs));
        most = Math.max(most, ...links.all.map((link) => link.report().openConnections));
        if (cycle > settledCycle && isConnected(stage)) connected++;
      }
      await overlap(0);
    });
    const growth = memory() - before;
    if (most > mostConnections) throw new Error(`${most} connections on a link, at most ${mostConnections}`);
    if (growth > mostGrowthBytes) throw new Error(`eu grew by ${growth} bytes, at most ${mostGrowthBytes}`);
    return `${cycles} turns, at most ${most} connections, ${Math.round(growth / 2 ** 20)} MiB more, called connected in ${connected} looks`;
  },
};

function isConnected({ parts: { oracle } }: Stage): boolean {
  return oracle.gauges('eu').get('link_state{peer="us",state="connected"}') === 1;
}
