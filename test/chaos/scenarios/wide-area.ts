/** Row 5: a wide area with long ways and lost packets: the lag shows them, and local writes do not feel them. */
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
    const { next, links, onEnd } = stage.parts;
    const delayMs = Math.round(between(next, 80, 300));
    const lostPercent = Math.round(between(next, 1, 20));
    const ports = links.all.flatMap(({ log, admin }) => [log.port, admin.port]).join(', ');
    const drop = `numgen random mod 100 < ${lostPercent} counter drop`;
    let lost = 0;
    await stage.during({ fault: 'the wide area is slow and loses packets', strikes: [] }, async (overlap) => {
      stage.setLinks('eu', 'us', { state: 'delay', delayMs });
      const rules = [`tcp dport { ${ports} } ${drop}`, `tcp sport { ${ports} } ${drop}`];
      const packets = new PacketRules(rules, onEnd);
      await overlap(6000);
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
    return `${delayMs} ms each way, ${lost} packets lost (${lostPercent} %)`;
  },
};
