/**
 * Row 15: the clock of a region jumps ahead and back within the bound, drifts, and jumps beyond the bound by seconds, by
 * minutes and by an hour, and back by an hour. Stamps go on. What is too far ahead of a region's clock is put aside by it
 * while the rest flows, and is applied once time has caught up, or the clock that was behind is set right. Ages stay right.
 * An hour does not pass in a test: time catches up with a region when its own clock is set as far ahead.
 */
import { highestStamp } from '@isthmus/conflict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { query } from '../../contract/fresh-database.ts';
import { until } from '../../until.ts';
import { known, total } from '../gauges.ts';
import { fakeClockLibrary } from '../machine.ts';
import { between } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const beyondSeconds = 70;
const withinSeconds = [30, -30, 0];
const farSeconds = [300, 3600];
const [leastRate, mostRate] = [1.001, 1.05];
const driftMs = 8000;
const nearMs = 5000;
const deadlineMs = 60_000;
const orderedKey = 'clock-order';

export const clockJump: Scenario = {
  ...pair,
  name: 'clock-jump',
  row: 15,
  about: `The clock of a region jumps 30 s ahead, 30 s back, drifts, jumps ${beyondSeconds} s, 5 min and 1 h ahead, and 1 h back`,
  needs: ['faketime'],
  prepare: async (folder) => {
    for (const region of pair.regions) setClock(folder, region, 0);
    await Promise.resolve();
  },
  databaseEnvironment: (region, folder) => ({
    LD_PRELOAD: fakeClockLibrary,
    FAKETIME_TIMESTAMP_FILE: clockFile(folder, region),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DISABLE_SHM: '1',
  }),
  run: async (stage) => {
    const clocks = new Clocks(stage);
    await within(clocks);
    const drift = await drifts(clocks);
    const aside = [await beyond(clocks)];
    for (const seconds of farSeconds) aside.push(await farAhead(clocks, seconds));
    const behind = await farBehind(clocks);
    await until('the last write in order is at us', deadlineMs, async () => {
      return (await clocks.stamp('us')) === (await clocks.stamp('eu'));
    });
    return (
      `within the bound nothing was put aside, nor while the clock ran by ${drift}; beyond it, until time had caught up, ` +
      `${aside.join(', ')} changes; ${behind} while the clock was an hour behind; ${clocks.writes} stamps in order`
    );
  },
};

async function within(clocks: Clocks): Promise<void> {
  const { stage } = clocks;
  await stage.during({ fault: 'the clock jumps', strikes: ['eu'] }, async (overlap) => {
    for (const seconds of withinSeconds) {
      await clocks.set('eu', seconds);
      const before = stage.parts.load.acknowledged();
      await until('writes go on', deadlineMs, () => stage.parts.load.acknowledged() > before + 200);
    }
    await overlap(0);
  });
  clocks.nothingAside('within the bound');
}

/** A rate that is set live also makes a jump, by what the clock would have gained since the servers were started. */
async function drifts(clocks: Clocks): Promise<string> {
  const { stage } = clocks;
  const rate = between(stage.parts.next, leastRate, mostRate);
  let gainedMs = 0;
  await stage.during({ fault: 'the clock drifts', strikes: ['eu'] }, async (overlap) => {
    clocks.write('eu', `+0 x${rate.toFixed(4)}`);
    const [fromMs, fromOffsetMs] = [performance.now(), await clocks.offsetMs('eu')];
    await overlap(driftMs);
    gainedMs = (await clocks.offsetMs('eu')) - fromOffsetMs;
    const dueMs = (rate - 1) * (performance.now() - fromMs);
    if (gainedMs < dueMs / 2) throw new Error(`the clock gained ${gainedMs} ms of ${dueMs}`);
    await clocks.isOrdered();
    await clocks.set('eu', 0);
  });
  clocks.nothingAside('in a drift');
  return `${rate.toFixed(4)} (${Math.round(gainedMs)} ms)`;
}

/** Time really catches up. */
async function beyond(clocks: Clocks): Promise<number> {
  let most = 0;
  await clocks.stage.during({ fault: 'the clock is beyond the bound', strikes: ['eu'] }, async (overlap) => {
    await clocks.set('eu', beyondSeconds);
    await clocks.isAside('us', 'eu');
    await overlap(0);
    most = clocks.aside('us');
    await clocks.set('eu', 0);
  });
  await clocks.isApplied('us');
  return most;
}

async function farAhead(clocks: Clocks, seconds: number): Promise<number> {
  let most = 0;
  await clocks.stage.during(
    { fault: `the clock is ${seconds} s ahead`, strikes: ['eu'] },
    async (overlap) => {
      await clocks.set('eu', seconds);
      await clocks.isAside('us', 'eu');
      await overlap(0);
      most = clocks.aside('us');
    },
  );
  await clocks.stage.during(
    { fault: `time catches up by ${seconds} s`, strikes: ['us'] },
    async (overlap) => {
      await clocks.set('us', seconds);
      await clocks.isApplied('us');
      await overlap(0);
    },
  );
  return most;
}

/** Everything of the peer is too far ahead, and is applied when the clock is set right. */
async function farBehind(clocks: Clocks): Promise<number> {
  const seconds = farSeconds.at(-1) ?? 0;
  let most = 0;
  await clocks.stage.during({ fault: 'the clock is an hour behind', strikes: ['eu'] }, async (overlap) => {
    await clocks.set('eu', 0);
    await clocks.isAside('eu', 'us');
    await overlap(0);
    most = clocks.aside('eu');
  });
  await clocks.stage.during({ fault: 'the clock is set right', strikes: ['eu'] }, async (overlap) => {
    await clocks.set('eu', seconds);
    await clocks.isApplied('eu');
    await overlap(0);
  });
  return most;
}

/** The clocks of the databases, and what they do to changes and to stamps. */
class Clocks {
  readonly stage: Stage;
  #newestMs = 0;
  #writes = 0;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  /** So many were looked at, none earlier than the one before. */
  get writes(): number {
    return this.#writes;
  }

  write(region: string, text: string): void {
    this.stage.parts.oracle.clockSet();
    writeFileSync(clockFile(this.stage.parts.folder, region), `${text}\n`);
  }

  /** Resolves when it has been set, and a stamp that was given before and one after it are in order. */
  async set(region: string, seconds: number): Promise<void> {
    await this.isOrdered();
    this.stage.parts.oracle.clockSet();
    setClock(this.stage.parts.folder, region, seconds);
    await until(`the clock of ${region} is ${seconds} s off`, deadlineMs, async () => {
      return Math.abs((await this.offsetMs(region)) - seconds * 1000) < nearMs;
    });
    await this.isOrdered();
  }

  async offsetMs(region: string): Promise<number> {
    return (await this.stage.region(region).client.clockMs()) - Date.now();
  }

  aside(region: string): number {
    return total(this.stage.parts.oracle.gauges(region), 'dead_letters');
  }

  nothingAside(when: string): void {
    for (const { name } of this.stage.parts.regions)
      if (this.aside(name) > 0) throw new Error(`${name} has put ${this.aside(name)} changes aside ${when}`);
  }

  /** And for no other reason than the clock. */
  async isAside(region: string, origin: string): Promise<void> {
    const series = `dead_letters{origin="${origin}",cause="clock-too-far-ahead"}`;
    await until(`${region} puts changes aside`, deadlineMs, () => {
      return (known(this.stage.parts.oracle.gauges(region), series) ?? 0) > 0;
    });
    const gauges = this.stage.parts.oracle.gauges(region);
    const others = total(gauges, 'dead_letters') - (known(gauges, series) ?? 0);
    if (others > 0) throw new Error(`${region} has put ${others} changes aside for another reason`);
  }

  async isApplied(region: string): Promise<void> {
    await until(`what ${region} has put aside is applied`, deadlineMs + beyondSeconds * 1000, () => {
      return this.aside(region) === 0;
    });
  }

  /** The next write to one record bears no earlier stamp than all before it, whatever the clock says. */
  async isOrdered(): Promise<void> {
    const { client, site } = this.stage.region('eu');
    const title = String(this.#writes);
    await until('a write in order is taken', deadlineMs, async () => {
      return (await client.put('products', orderedKey, { title })).status < 300;
    });
    const stampMs = await stampOf(site.postgres.url);
    if (stampMs === null) throw new Error('a record that was written bears no stamp');
    if (stampMs < this.#newestMs)
      throw new Error(`write ${title} is stamped ${stampMs}, and the one before it ${this.#newestMs}`);
    this.#newestMs = stampMs;
    this.#writes += 1;
  }

  stamp(region: string): Promise<number | null> {
    return stampOf(this.stage.region(region).site.postgres.url);
  }
}

/** Of the newest stamp in the record; `null`: there is none. */
async function stampOf(url: string): Promise<number | null> {
  const sql = "SELECT state FROM isthmus.record WHERE collection = 'products' AND key = $1";
  const [row] = await query(url, sql, [orderedKey]);
  const state = row?.['state'];
  return state instanceof Uint8Array ? highestStamp(state) : null;
}

function clockFile(folder: string, region: string): string {
  return join(folder, `clock-${region}`);
}

function setClock(folder: string, region: string, seconds: number): void {
  writeFileSync(clockFile(folder, region), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
}
