/** Row 7: connections to the log are reset in the middle of what is sent; it is sent again, and nothing counts twice. */
import { until } from '../../until.ts';
import { PacketRules } from '../packet-rules.ts';
import { pair, type Scenario } from '../scenario.ts';

const leastResets = 3;
/** One packet in so many is answered by a reset, so a busy machine, which sends fewer and larger ones, takes longer. */
const onePacketIn = 30;
const resetsWithinMs = 60_000;

export const resets: Scenario = {
  ...pair,
  name: 'resets',
  row: 7,
  about: 'Connections of a region to its own log are reset in the middle of a produce',
  needs: ['root', 'nft'],
  run: async (stage) => {
    const port = Number(stage.region('eu').site.brokers.split(':')[1]);
    let count = 0;
    await stage.during({ fault: 'connections to the log are reset', strikes: [] }, async (overlap) => {
      const rule = `tcp dport ${port} meta length > 400 numgen random mod ${onePacketIn} == 0 counter reject with tcp reset`;
      const packets = new PacketRules([rule], stage.parts.onEnd);
      await overlap(6000);
      await until(`${leastResets} resets`, resetsWithinMs, () => {
        count = packets.matched;
        return count >= leastResets;
      });
      packets.remove();
    });
    return `${count} connections reset in a produce`;
  },
};
