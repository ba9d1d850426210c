/**
 * Row 15: the clock of a region jumps ahead within the bound, back, and beyond the bound. Stamps go on, what is too far
 * ahead is put aside by the peer while the rest flows, and is applied once time has caught up. Ages stay right.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../until.ts';
import { total } from '../gauges.ts';
import { fakeClockLibrary } from '../machine.ts';
import { pair, type Scenario } from '../scenario.ts';

const boundSeconds = 60;
const beyondSeconds = 70;
const withinSeconds = [30, -30, 0];
const deadlineMs = 60_000;

export const clockJump: Scenario = {
  ...pair,
  name: 'clock-jump',
  row: 15,
  about: `The clock of a region jumps 30 s ahead, 30 s back, and ${beyondSeconds} s ahead`,
  needs: ['faketime'],
  prepare: async (folder) => {
    setClock(folder, 0);
    await Promise.resolve();
  },
  databaseEnvironment: (region, folder) =>
    region === 'eu'
      ? {
          LD_PRELOAD: fakeClockLibrary,
          FAKETIME_TIMESTAMP_FILE: clockFile(folder),
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
          FAKETIME_DISABLE_SHM: '1',
        }
      : {},
  run: async (stage) => {
    const { folder, oracle, load } = stage.parts;
    const eu = stage.region('eu');
    const offset = async (): Promise<number> => (await eu.client.clockMs()) - Date.now();
    await stage.during({ fault: 'the clock jumps', strikes: ['eu'] }, async (overlap) => {
      for (const seconds of withinSeconds) {
        oracle.clockSet();
        setClock(folder, seconds);
        await until(`the clock is ${seconds} s off`, deadlineMs, async () => {
          return Math.abs((await offset()) - seconds * 1000) < 5000;
        });
        const before = load.acknowledged();
        await until('writes go on', deadlineMs, () => load.acknowledged() > before + 200);
      }
      await overlap(0);
    });
    const aside = (): number => total(oracle.gauges('us'), 'dead_letters');
    if (aside() > 0)
      throw new Error(`${aside()} changes were put aside within the bound of ${boundSeconds} s`);
    let most = 0;
    await stage.during({ fault: 'the clock is beyond the bound', strikes: ['eu'] }, async (overlap) => {
      oracle.clockSet();
      setClock(folder, beyondSeconds);
      await until('changes are put aside', deadlineMs, () => aside() > 0);
      await overlap(0);
      most = aside();
      oracle.clockSet();
      setClock(folder, 0);
    });
    await until('what was put aside is applied', deadlineMs, () => aside() === 0);
    return `within the bound nothing was put aside; beyond it ${most} changes were, until time had caught up`;
  },
};

function clockFile(folder: string): string {
  return join(folder, 'clock');
}

function setClock(folder: string, seconds: number): void {
  writeFileSync(clockFile(folder), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
}
