/**
 * Row 31: everything of a region is destroyed at a random moment. What its peers then lack is no more than its RPO
 * towards them last said, in time and in number; they agree on what they have of it, and go on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Violation } from '../../checkers/history.ts';
import { checkLoss, checkLostChanges } from '../../checkers/metrics.ts';
import { judgeFinals } from '../judge.ts';
import type { LastWord } from '../oracle.ts';
import { between } from '../random.ts';
import { type Ended, type Scenario, three } from '../scenario.ts';

export const destroyed: Scenario = {
  ...three,
  name: 'destroyed',
  row: 31,
  about: 'A whole region is destroyed at a random moment',
  destroyed: ['eu'],
  isLossy: true,
  run: async (stage) => {
    const { site } = stage.region('eu');
    await delay(between(stage.parts.next, 0, 3000));
    await stage.during({ fault: 'a region is gone', strikes: ['eu'] }, async (overlap) => {
      const { process, postgres, kafka } = site;
      await Promise.all([process.kill('SIGKILL'), postgres.kill('SIGKILL'), kafka?.kill('SIGKILL')]);
      await overlap(4000);
    });
    const running = [site.process, site.postgres, site.kafka].filter((server) => server?.isRunning());
    if (running.length > 0) throw new Error(`${running.length} servers of the region still run`);
    const words = survivors.map((peer) => describe(peer, stage.parts.oracle.lastWord('eu', peer)));
    return `three servers killed at once; last RPO ${words.join(', ')}`;
  },
  judge: (ended) => [...judgeSurvivors(ended), ...survivors.flatMap((peer) => judgeLoss(ended, peer))],
};

const survivors = ['us', 'ap'] as const;

function describe(peer: string, word: LastWord | null): string {
  return `${peer} ${Math.round(word?.shownMs ?? Number.NaN)} ms, ${word?.changes ?? 'unknown'} changes`;
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

function judgeLoss({ oracle }: Ended, peer: string): readonly Violation[] {
  const word = oracle.lastWord('eu', peer);
  if (word === null || word.shownMs === null)
    return [{ checker: 'loss', key: peer, detail: 'its RPO was not known, so nothing is judged' }];
  const oldest = oracle.missing('eu', peer).find(({ ackedAtMs }) => ackedAtMs <= word.atMs);
  const lostMs = oldest === undefined ? 0 : word.atMs - oldest.ackedAtMs;
  const lost = { shown: word.changes, least: oracle.leastLost('eu', peer) };
  const place = `eu of ${peer}`;
  const found = [checkLoss(place, word.shownMs, lostMs), checkLostChanges(place, lost)];
  return found.filter((violation) => violation !== null);
}
