/**
 * Row 3: two regions are cut from each other, and a third sees both: it serves, and has what both of them wrote. Callers
 * who move between the three see their own writes and never go back in time, or are told that a region is not so far.
 */
import { until } from '../../until.ts';
import type { ChaosRegion } from '../chaos-region.ts';
import { SessionClient } from '../session-client.ts';
import { type Scenario, three } from '../scenario.ts';

const flaggedWithinMs = 25_000;
const waitMs = 8000;
const sessions = 10;

export const nonTransitive: Scenario = {
  ...three,
  name: 'non-transitive',
  row: 3,
  about: 'Two of three regions are cut from each other; the third sees both, and sessions move among them',
  run: async (stage) => {
    const [eu, us, ap] = [stage.region('eu'), stage.region('us'), stage.region('ap')];
    let refused = 0;
    await stage.during(
      { fault: 'eu and us are cut from each other', strikes: [], between: [['eu', 'us']] },
      async (overlap) => {
        stage.setLinks('eu', 'us', { state: 'cut' });
        await until('eu says partitioned', flaggedWithinMs, async () => {
          return (await eu.client.peer('us')).link === 'partitioned';
        });
        for (let session = 0; session < sessions; session++) {
          const [from, beyond] = session % 2 === 0 ? [eu, us] : [us, eu];
          refused += await moveAbout(`session-${stage.parts.load.prefix}${session}`, {
            from,
            over: ap,
            beyond,
          });
        }
        await overlap(5000);
        for (const { name } of [eu, us])
          await until(`ap is connected to ${name}`, flaggedWithinMs, async () => {
            const { link } = await ap.client.peer(name);
            if (link === 'connected') return true;
            throw new Error(link);
          });
        stage.setLinks('eu', 'us', { state: 'ok' });
      },
    );
    if (refused !== sessions)
      throw new Error(`${refused} of ${sessions} sessions were refused beyond the cut`);
    return `eu said partitioned, ap stayed connected to both; ${sessions} sessions saw their writes at ap and were refused beyond the cut`;
  },
};

interface Way {
  readonly from: ChaosRegion;
  readonly over: ChaosRegion;
  /** Cut from the first. */
  readonly beyond: ChaosRegion;
}

/** How often a region said that it is not so far. */
async function moveAbout(key: string, { from, over, beyond }: Way): Promise<number> {
  const caller = new SessionClient(key);
  const written = await caller.write(from, key);
  if (written.status >= 300) throw new Error(`${from.name} answered ${written.status} to a write`);
  const seen = await caller.read(over, waitMs);
  if (seen.title !== key)
    throw new Error(`${over.name} answered ${seen.status} and showed ${seen.title} of ${key}`);
  const later = await caller.read(beyond, 0);
  if (later.status !== 503)
    throw new Error(`${beyond.name} answered ${later.status} to a session beyond the cut`);
  return 1;
}
