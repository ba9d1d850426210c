/**
 * Row 5: a wide area with long ways and lost packets: the lag shows them, and local writes do not feel them. A write that waited
 * for a peer could not take less than the way there and back, however quick the machine is. Where so much is lost that
 * hardly anything passes, a link may be called broken, and then it has to be: no link is called connected over which
 * nothing has come for long, and none broken over which everything has come. The worst of both is among five seeds.
 */
import type { History } from '../../checkers/history.ts';
import { until } from '../../until.ts';
import { LinkWitness } from '../link-witness.ts';
import { PacketRules } from '../packet-rules.ts';
import { between, turnOf } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const seenWithinMs = 120_000;
const heldMs = 15_000;
const brieflyHeldMs = 6000;

interface Weather {
  readonly delayMs: readonly [least: number, most: number];
  readonly lostPercent: readonly [least: number, most: number];
  readonly heldMs: number;
}

const mild: Weather = { delayMs: [80, 300], lostPercent: [1, 20], heldMs: brieflyHeldMs };
const weathers: readonly [Weather, ...Weather[]] = [
  mild,
  { delayMs: [300, 300], lostPercent: [30, 30], heldMs },
  { delayMs: [80, 80], lostPercent: [30, 30], heldMs },
  { delayMs: [300, 300], lostPercent: [1, 1], heldMs },
  { delayMs: [80, 300], lostPercent: [20, 30], heldMs },
];

export const wideArea: Scenario = {
  ...pair,
  name: 'wide-area',
  row: 5,
  about: 'Packets between the regions take 80 to 300 ms, and 1 to 30 of 100 are lost',
  needs: ['root', 'nft'],
  run: async (stage) => {
    const { next, seed, links, load, onEnd } = stage.parts;
    const weather = turnOf(seed, weathers);
    const delayMs = Math.round(between(next, ...weather.delayMs));
    const lostPercent = Math.round(between(next, ...weather.lostPercent));
    const ports = links.all.flatMap(({ log, admin }) => [log.port, admin.port]).join(', ');
    const drop = `numgen random mod 100 < ${lostPercent} counter drop`;
    const witness = new LinkWitness(stage, directions);
    onEnd(() => witness.stop());
    let [lost, localMs, arrivedMs] = [0, 0, 0];
    await stage.during({ fault: 'the wide area is slow and loses packets', strikes: [] }, async (overlap) => {
      stage.setLinks('eu', 'us', { state: 'delay', delayMs });
      const rules = [`tcp dport { ${ports} } ${drop}`, `tcp sport { ${ports} } ${drop}`];
      const packets = new PacketRules(rules, onEnd);
      const fromMs = performance.now();
      witness.start();
      await overlap(weather.heldMs);
      localMs = fastestTenthMs(load.events.filter(({ invokedAtMs }) => invokedAtMs >= fromMs));
      if (localMs >= 2 * delayMs)
        throw new Error(`nine of ten local writes took ${localMs} ms or more, like the way there and back`);
      arrivedMs = await arrivalMs(stage, `late-${delayMs}`);
      if (arrivedMs < delayMs) throw new Error('it arrived before it could');
      lost = packets.matched;
      packets.remove();
      stage.setLinks('eu', 'us', { state: 'ok' });
    });
    const { worstLagSeconds, states } = await witness.verdict();
    if (lost === 0) throw new Error('no packet was lost');
    if (worstLagSeconds * 1000 < delayMs) throw new Error(`the lag was ${worstLagSeconds} s at most`);
    return (
      `${delayMs} ms each way, ${lost} packets lost (${lostPercent} %), a tenth of the local writes within ${localMs} ms, ` +
      `one at the peer after ${Math.round(arrivedMs)} ms, a lag of up to ${worstLagSeconds.toFixed(1)} s, links ${states.join(', ')}`
    );
  },
};

const directions = [
  ['eu', 'us'],
  ['us', 'eu'],
] as const;

async function arrivalMs(stage: Stage, key: string): Promise<number> {
  const startedMs = performance.now();
  await stage.region('eu').client.put('products', key, { title: key });
  await until('us has it', seenWithinMs, async () => {
    return (await stage.region('us').client.get('products', key)).status === 200;
  });
  return performance.now() - startedMs;
}

/** Nine of ten acknowledged ones took longer; infinite where none was acknowledged. */
export function fastestTenthMs(events: History): number {
  const took = events
    .filter(({ result }) => result === 'ok')
    .map(({ invokedAtMs, completedAtMs }) => completedAtMs - invokedAtMs)
    .toSorted((one, other) => one - other);
  return Math.ceil(took[Math.floor(took.length / 10)] ?? Number.POSITIVE_INFINITY);
}
