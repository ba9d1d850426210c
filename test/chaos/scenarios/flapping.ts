/**
 * Row 4: a link that comes and goes every 0.3 to 3 seconds; nothing grows with the number of its turns, and what is said
 * of it does not turn with it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { between } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const cycles = 100;
const shortestMs = 150;
const longestMs = 1500;
const mostConnections = 100;
const mostGrowthBytes = 200 * 1024 * 1024;
/** A flag that follows each turn would change twice as often as there are cycles. */
const mostChanges = cycles / 2;

export const flapping: Scenario = {
  ...pair,
  name: 'flapping',
  row: 4,
  about: `A link is cut and healed ${cycles} times, every 0.3 to 3 seconds`,
  run: async (stage) => {
    const { next, links, oracle } = stage.parts;
    const memory = (): number => oracle.gauges('eu').get('process_resident_memory_bytes') ?? 0;
    const before = memory();
    const said = new Said(stage);
    let most = 0;
    // As many short turns as long ones.
    const turnMs = (): number => shortestMs * (longestMs / shortestMs) ** between(next, 0, 1);
    await stage.during({ fault: 'the link flaps', strikes: [] }, async (overlap) => {
      for (let cycle = 0; cycle < cycles; cycle++) {
        for (const state of ['cut', 'ok'] as const) {
          stage.setLinks('eu', 'us', { state });
          await delay(turnMs());
          said.look();
        }
        most = Math.max(most, ...links.all.map((link) => link.report().openConnections));
      }
      await overlap(0);
    });
    const growth = memory() - before;
    if (most > mostConnections) throw new Error(`${most} connections on a link, at most ${mostConnections}`);
    if (growth > mostGrowthBytes) throw new Error(`eu grew by ${growth} bytes, at most ${mostGrowthBytes}`);
    if (said.changes > mostChanges) throw new Error(`the flag changed ${said.changes} times`);
    return `${cycles} turns, at most ${most} connections, ${Math.round(growth / 2 ** 20)} MiB more, the flag changed ${said.changes} times`;
  },
};

/** What eu says of the link. */
class Said {
  changes = 0;
  readonly #stage: Stage;
  #isConnected: boolean | null = null;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  look(): void {
    const gauges = this.#stage.parts.oracle.gauges('eu');
    const isConnected = gauges.get('link_state{peer="us",state="connected"}') === 1;
    if (this.#isConnected !== null && isConnected !== this.#isConnected) this.changes++;
    this.#isConnected = isConnected;
  }
}
