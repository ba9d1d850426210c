/**
 * Row 9: the process is killed between two steps that belong together: an applier that has begun its transaction, and
 * a relay whose record the log may or may not have taken. What comes again then has no second effect.
 */
import { Client } from 'pg';
import { until } from '../../until.ts';
import { query } from '../../contract/fresh-database.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const kills = 3;
const deadlineMs = 30_000;

export const betweenSteps: Scenario = {
  ...pair,
  name: 'between-steps',
  row: 9,
  about: 'Applier and relay are killed in the middle of what they do',
  run: async (stage) => {
    await stage.during({ fault: 'applier and relay are killed', strikes: ['eu', 'us'] }, async (overlap) => {
      for (let kill = 0; kill < kills; kill++) {
        await killApplier(stage);
        await killRelay(stage);
      }
      await overlap(0);
    });
    return `${kills} appliers killed within their transaction, ${kills} relays before the answer of the log`;
  },
};

async function killApplier(stage: Stage): Promise<void> {
  const { site } = stage.region('us');
  const lock = new Client({ connectionString: site.postgres.url });
  await lock.connect();
  await lock.query('BEGIN; LOCK TABLE isthmus.position IN SHARE MODE');
  await until('an apply transaction waits', deadlineMs, async () => {
    const [row] = await query(site.postgres.url, waitingApplier);
    return row !== undefined;
  });
  await site.process.kill('SIGKILL');
  await lock.end();
  await site.process.restart();
}

const waitingApplier = `SELECT pid FROM pg_stat_activity
  WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE isthmus.position SET applied%'`;

async function killRelay(stage: Stage): Promise<void> {
  const { site } = stage.region('eu');
  const { load } = stage.parts;
  const before = load.acknowledged('eu');
  await site.kafka?.kill('SIGSTOP');
  await until('changes wait for the log', deadlineMs, () => load.acknowledged('eu') > before + 20);
  await site.process.kill('SIGKILL');
  await site.kafka?.kill('SIGCONT');
  await site.process.restart();
}
