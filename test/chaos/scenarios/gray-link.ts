/** Row 6: small packets pass and large ones do not: requests are answered, and the data stands still, which is told. */
import { until } from '../../until.ts';
import { PacketRules } from '../packet-rules.ts';
import { pair, type Scenario } from '../scenario.ts';

const flaggedWithinMs = 30_000;
const largestPacketBytes = 700;
const leastLagSeconds = 3;

export const grayLink: Scenario = {
  ...pair,
  name: 'gray-link',
  row: 6,
  about: 'Packets above a size are lost on the way of the data; requests are answered',
  needs: ['root', 'nft'],
  run: async (stage) => {
    const { links, onEnd } = stage.parts;
    const us = stage.region('us');
    const port = links.find('eu', 'us')?.log.port ?? 0;
    let told = '';
    await stage.during({ fault: 'large packets are lost', strikes: [] }, async (overlap) => {
      const rule = `tcp sport ${port} meta length > ${largestPacketBytes} counter drop`;
      const packets = new PacketRules([rule], onEnd);
      await until('us says that it stands still', flaggedWithinMs, async () => {
        const { link, lagSeconds } = await us.client.peer('eu');
        told = link;
        if (link !== 'connected' && link !== 'suspected' && (lagSeconds ?? 0) > leastLagSeconds) return true;
        throw new Error(`${link}, ${lagSeconds} s`);
      });
      const admin = links.find('us', 'eu')?.admin.port ?? 0;
      const { ok } = await fetch(`http://127.0.0.1:${admin}/readyz`);
      if (!ok) throw new Error('requests are not answered, so the link is not gray');
      await overlap(4000);
      told += `, ${packets.matched} packets lost`;
      packets.remove();
    });
    return `us said ${told}, while requests were answered`;
  },
};
