/**
 * Row 5: a wide area with long ways and lost packets: the lag shows them, and local writes do not feel them. A write that waited
 * for a peer could not take less than the way there and back, however quick the machine is.
 */
import type { History } from '../../checkers/history.ts';
import { until } from '../../until.ts';
import { PacketRules } from '../packet-rules.ts';
import { between } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';

const seenWithinMs = 30_000;

export const wideArea: Scenario = {
  ...pair,
  name: 'wide-area',
  row: 5,
  about: 'Packets between the regions take 80 to 300 ms, and 1 to 20 of 100 are lost',
  needs: ['root', 'nft'],
  run: async (stage) => {
    const { next, links, load, onEnd } = stage.parts;
    const delayMs = Math.round(between(next, 80, 300));
    const lostPercent = Math.round(between(next, 1, 20));
    const ports = links.all.flatMap(({ log, admin }) => [log.port, admin.port]).join(', ');
    const drop = `numgen random mod 100 < ${lostPercent} counter drop`;
    let lost = 0;
    let localMs = 0;
    await stage.during({ fault: 'the wide area is slow and loses packets', strikes: [] }, async (overlap) => {
      stage.setLinks('eu', 'us', { state: 'delay', delayMs });
      const rules = [`tcp dport { ${ports} } ${drop}`, `tcp sport { ${ports} } ${drop}`];
      const packets = new PacketRules(rules, onEnd);
      const fromMs = performance.now();
      await overlap(6000);
      localMs = fastestTenthMs(load.events.filter(({ invokedAtMs }) => invokedAtMs >= fromMs));
      if (localMs >= 2 * delayMs)
        throw new Error(`nine of ten local writes took ${localMs} ms or more, like the way there and back`);
      const key = `late-${delayMs}`;
      const startedMs = performance.now();
      await stage.region('eu').client.put('products', key, { title: key });
      await until('us has it', seenWithinMs, async () => {
        return (await stage.region('us').client.get('products', key)).status === 200;
      });
      if (performance.now() - startedMs < delayMs) throw new Error('it arrived before it could');
      lost = packets.matched;
      packets.remove();
      stage.setLinks('eu', 'us', { state: 'ok' });
    });
    if (lost === 0) throw new Error('no packet was lost');
    return `${delayMs} ms each way, ${lost} packets lost (${lostPercent} %), a tenth of the local writes within ${localMs} ms`;
  },
};

/** Nine of ten acknowledged ones took longer; infinite where none was acknowledged. */
export function fastestTenthMs(events: History): number {
  const took = events
    .filter(({ result }) => result === 'ok')
    .map(({ invokedAtMs, completedAtMs }) => completedAtMs - invokedAtMs)
    .toSorted((one, other) => one - other);
  return Math.ceil(took[Math.floor(took.length / 10)] ?? Number.POSITIVE_INFINITY);
}
