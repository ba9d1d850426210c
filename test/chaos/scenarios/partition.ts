/**
 * Row 1: a region is cut from its peer, both write on, both say so until it is healed, and both catch up. How long
 * it lasts goes by the seed, so that five seeds in a row have one cut of ten minutes. One that is over before it can be
 * named only has to show in the ages, and in a link that is no longer called connected.
 */
import { until } from '../../until.ts';
import { between, turnOf } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const flaggedWithinMs = 20_000;
const caughtUpWithinMs = 120_000;
/** From the least to the most, in seconds. */
const lengths: readonly [Span, ...Span[]] = [
  [8, 11],
  [5, 7],
  [30, 60],
  [90, 150],
  [600, 600],
];
/** A shorter one is over before a link can be called partitioned. */
const flaggedFromMs = 8000;
/** A longer cut is written into at a moderate rate. */
const longMs = 60_000;
const moderateThinkMs = 150;
/** Ages are told in beats, and a busy machine is late with them. */
const lateSeconds = 3;
const nearSeconds = 2;

type Span = readonly [least: number, most: number];

export const partition: Scenario = {
  ...pair,
  name: 'partition',
  row: 1,
  about: 'Both directions between two regions are cut, for 5 seconds to 10 minutes',
  run: async (stage) => {
    const { next, seed, load } = stage.parts;
    const [least, most] = turnOf(seed, lengths);
    const heldMs = 1000 * between(next, least, most);
    const isNamed = heldMs >= flaggedFromMs;
    const fault = { fault: 'the regions are cut from each other', strikes: [] };
    let [flaggedMs, cutMs] = [0, 0];
    await stage.during(fault, async (overlap) => {
      if (heldMs > longMs) load.think(moderateThinkMs);
      const fromMs = performance.now();
      stage.setLinks('eu', 'us', { state: 'cut' });
      if (isNamed) await allNamed(stage);
      flaggedMs = performance.now() - fromMs;
      await overlap(heldMs);
      for (const direction of directions)
        await isTold(stage, direction, { cutMs: performance.now() - fromMs, isNamed });
      load.think(null);
      stage.setLinks('eu', 'us', { state: 'ok' });
      cutMs = performance.now() - fromMs;
    });
    const healedMs = performance.now();
    for (const direction of directions) await caughtUp(stage, direction);
    const tookMs = performance.now() - healedMs;
    const caught = `cut for ${seconds(cutMs)} s, all caught up ${seconds(tookMs)} s after it`;
    if (!isNamed) return `${caught}; it was over before it could be named`;
    const incidents = await until('an incident is recorded', flaggedWithinMs, async () => {
      const [newest] = await stage.region('eu').client.incidents();
      return newest?.splitBrain === true ? newest : null;
    });
    const writes = JSON.stringify(incidents.writes);
    return `${caught}; both said partitioned within ${seconds(flaggedMs)} s and to the end; incident with ${writes} writes`;
  },
};

async function allNamed(stage: Stage): Promise<void> {
  for (const [name, peer] of directions)
    await until(`${name} says partitioned`, flaggedWithinMs, async () => {
      return (await stage.region(name).client.peer(peer)).link === 'partitioned';
    });
}

type Direction = readonly [name: string, peer: string];

const directions: readonly Direction[] = [
  ['eu', 'us'],
  ['us', 'eu'],
];

interface Cut {
  readonly cutMs: number;
  /** It has lasted for long enough to be. */
  readonly isNamed: boolean;
}

/** A region serves and says that it is cut off, and its ages have grown by as much as the cut has lasted. */
async function isTold(stage: Stage, [name, peer]: Direction, { cutMs, isNamed }: Cut): Promise<void> {
  const { client } = stage.region(name);
  if (!(await client.isReady())) throw new Error(`${name} is not ready in a partition`);
  const { link, lagSeconds, rpoSeconds } = await client.peer(peer);
  if (isNamed ? link !== 'partitioned' : link === 'connected')
    throw new Error(`${name} says ${link} of ${peer}, which is still cut off`);
  const leastSeconds = cutMs / 1000 - lateSeconds;
  for (const [gauge, told] of Object.entries({ lag: lagSeconds, rpo: rpoSeconds }))
    if (told === null || told < leastSeconds)
      throw new Error(`${name} tells a ${gauge} of ${told} s after ${seconds(cutMs)} s without ${peer}`);
}

async function caughtUp(stage: Stage, [name, peer]: Direction): Promise<void> {
  await until(`${name} has caught up with ${peer}`, caughtUpWithinMs, async () => {
    const { link, lagSeconds } = await stage.region(name).client.peer(peer);
    return link === 'connected' && lagSeconds !== null && lagSeconds < nearSeconds;
  });
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
