/**
 * Row 31: everything of a region is destroyed at a random moment, with every other seed after its peers have been cut off
 * from it for a while, so that much is lost. What its peers then lack is no more than its RPO towards them last said, in time and
 * in number; they agree on what they have of it, and go on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Violation } from '../../checkers/history.ts';
import { checkLoss, checkLostChanges } from '../../checkers/metrics.ts';
import { judgeFinals } from '../judge.ts';
import type { LastWord, Oracle } from '../oracle.ts';
import { between } from '../random.ts';
import { type Ended, type Scenario, three } from '../scenario.ts';
import type { Stage } from '../stage.ts';

export const destroyed: Scenario = {
  ...three,
  name: 'destroyed',
  row: 31,
  about: 'A whole region is destroyed at a random moment',
  destroyed: ['eu'],
  isLossy: true,
  run: async (stage) => {
    const { site } = stage.region('eu');
    const { next, seed } = stage.parts;
    await delay(between(next, 0, 3000));
    await stage.during({ fault: 'a region is gone', strikes: ['eu'] }, async (overlap) => {
      if (isCutBefore(seed)) await cutOff(stage, between(next, leastCutMs, mostCutMs));
      const { process, postgres, kafka } = site;
      await Promise.all([process.kill('SIGKILL'), postgres.kill('SIGKILL'), kafka?.kill('SIGKILL')]);
      await overlap(4000);
    });
    const running = [site.process, site.postgres, site.kafka].filter((server) => server?.isRunning());
    if (running.length > 0) throw new Error(`${running.length} servers of the region still run`);
    const words = survivors.map((peer) => describe(peer, stage.parts.oracle));
    const how = isCutBefore(seed) ? 'cut off, and then three' : 'three';
    return `${how} servers killed at once; last RPO ${words.join(', ')}`;
  },
  judge: (ended) => [...judgeSurvivors(ended), ...survivors.flatMap((peer) => judgeLoss(ended, peer))],
};

const survivors = ['us', 'ap'] as const;
const [leastCutMs, mostCutMs] = [1500, 9000];

function isCutBefore(seed: number): boolean {
  return seed % 2 === 0;
}

async function cutOff(stage: Stage, forMs: number): Promise<void> {
  for (const peer of survivors) stage.setLink('eu', peer, { state: 'cut' });
  await delay(forMs);
}

function describe(peer: string, oracle: Oracle): string {
  const word = oracle.lastWord('eu', peer);
  const told = `${Math.round(word?.shownMs ?? Number.NaN)} ms, ${word?.changes ?? 'unknown'} changes`;
  const lost = word === null ? 0 : lostMs(oracle, peer, word);
  return `${peer} ${told} (lost ${Math.round(lost)} ms)`;
}

/** Age of the oldest insert that was acknowledged before the last word and is not at the peer. */
function lostMs(oracle: Oracle, peer: string, word: LastWord): number {
  const oldest = oracle.missing('eu', peer).find(({ ackedAtMs }) => ackedAtMs <= word.atMs);
  return oldest === undefined ? 0 : word.atMs - oldest.ackedAtMs;
}

/**
 * Of what the region was told, only its own may be gone: then it is as if its outcome were not known. With too many such
 * outcomes a sum cannot be judged, and only that it is not below its bound.
 */
function judgeSurvivors({ history, finals }: Ended): readonly Violation[] {
  const softened = history.map((event) =>
    event.region === 'eu' && event.result === 'ok' ? { ...event, result: 'info' as const } : event,
  );
  return judgeFinals(softened, finals).filter(({ detail }) => !/unknown changes, at most/.test(detail));
}

function judgeLoss({ oracle, seed }: Ended, peer: string): readonly Violation[] {
  const word = oracle.lastWord('eu', peer);
  if (word === null || word.shownMs === null)
    return [{ checker: 'loss', key: peer, detail: 'its RPO was not known, so nothing is judged' }];
  const lost = { shown: word.changes, least: oracle.leastLost('eu', peer) };
  const oldMs = lostMs(oracle, peer, word);
  if (isCutBefore(seed) && oldMs === 0)
    return [{ checker: 'loss', key: peer, detail: 'nothing was lost, so nothing is judged' }];
  const place = `eu of ${peer}`;
  const found = [checkLoss(place, word.shownMs, oldMs), checkLostChanges(place, lost)];
  return found.filter((violation) => violation !== null);
}
