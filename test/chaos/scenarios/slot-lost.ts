/**
 * Row 21: the slot is lost with changes that no log ever held; they come from the records of their region. First it is
 * dropped; then the database fails over to a standby that holds every acknowledged write and no slot, on another timeline
 * and at the same address, while the processes of the region go on: the database is proven by what it holds (P1), and goes
 * on under its name.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { query } from '../../contract/fresh-database.ts';
import { identityOf } from '../../e2e/shown-identity.ts';
import { until } from '../../until.ts';
import { total } from '../gauges.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { startStandby } from '../standby.ts';

const deadlineMs = 60_000;
const unsent = 40;
const identity = z.object({ incarnation: z.number(), guard: z.object({ kind: z.string() }) });

export const slotLost: Scenario = {
  ...pair,
  name: 'slot-lost',
  row: 21,
  about:
    'The slot of a region is lost before the log has its newest changes, and again when a standby takes over',
  run: async (stage) => {
    const dropped = await drop(stage);
    return `dropped: ${dropped}; failed over: ${await failOver(stage)}`;
  },
};

async function drop(stage: Stage): Promise<string> {
  const { site } = stage.region('eu');
  const isRepaired = lossAfter(stage);
  await stage.during({ fault: 'the slot is lost', strikes: ['eu'] }, async (overlap) => {
    await withUnsent(stage, () => site.process.kill('SIGKILL'));
    await until('the slot is dropped', deadlineMs, async () => {
      await query(site.postgres.url, "SELECT pg_drop_replication_slot('isthmus_relay')");
      return true;
    });
    await overlap(0);
    await site.process.restart();
  });
  return isRepaired();
}

async function failOver(stage: Stage): Promise<string> {
  const { folder, onEnd } = stage.parts;
  const { postgres, process } = stage.region('eu').site;
  const standby = await startStandby({
    primary: postgres,
    beside: join(folder, 'eu', 'postgres'),
    keepIn: join(folder, 'eu', 'standby'),
  });
  onEnd(() => standby.server.stop());
  const before = { ...identity.parse(await identityOf(process.admin)), timeline: await timelineOf(stage) };
  const isRepaired = lossAfter(stage);
  await stage.during({ fault: 'a standby without the slot takes over', strikes: ['eu'] }, async (overlap) => {
    await withUnsent(stage, () => postgres.kill('SIGKILL'));
    await standby.takeOver();
    await overlap(0);
  });
  const repaired = await isRepaired();
  await until('the slot is made anew', deadlineMs, async () => {
    const sql = "SELECT active FROM pg_replication_slots WHERE slot_name = 'isthmus_relay'";
    return (await query(postgres.url, sql))[0]?.['active'] === true;
  });
  const after = { ...identity.parse(await identityOf(process.admin)), timeline: await timelineOf(stage) };
  if (after.timeline <= before.timeline) throw new Error(`the timeline is ${after.timeline} as before`);
  if (after.guard.kind !== 'proven' || after.incarnation !== before.incarnation)
    throw new Error(`${JSON.stringify(before)} has become ${JSON.stringify(after)}`);
  return `${repaired}, incarnation ${after.incarnation} proven on timeline ${after.timeline} after ${before.timeline}`;
}

/** The log is stopped until the database alone has what was acknowledged; then the blow falls, and the log goes on. */
async function withUnsent(stage: Stage, blow: () => Promise<void>): Promise<void> {
  const { load } = stage.parts;
  const { kafka } = stage.region('eu').site;
  const before = load.acknowledged('eu');
  await kafka?.kill('SIGSTOP');
  await until('changes wait for the log', deadlineMs, () => load.acknowledged('eu') > before + unsent);
  await blow();
  await kafka?.kill('SIGCONT');
}

/** Waits until what is lost from now on is counted at the origin and fetched by the peer. */
function lossAfter({ parts: { oracle } }: Stage): () => Promise<string> {
  const count = (region: string, name: string): number => total(oracle.gauges(region), name);
  const before = { gaps: count('eu', 'gaps_total'), transfers: count('us', 'transfers_total') };
  return async () => {
    await until('the loss is seen and repaired', deadlineMs, () => {
      return count('eu', 'gaps_total') > before.gaps && count('us', 'transfers_total') > before.transfers;
    });
    const transfers = count('us', 'transfers_total') - before.transfers;
    return `at least ${unsent} changes unsent, ${transfers} transfers`;
  };
}

async function timelineOf(stage: Stage): Promise<number> {
  const sql = 'SELECT timeline_id FROM pg_control_checkpoint()';
  const [found] = await query(stage.region('eu').site.postgres.url, sql);
  return Number(found?.['timeline_id']);
}
