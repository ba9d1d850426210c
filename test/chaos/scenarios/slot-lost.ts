/** Row 21: the slot is lost with changes that no log ever held; they come from the records of their region. */
import { until } from '../../until.ts';
import { query } from '../../contract/fresh-database.ts';
import { total } from '../gauges.ts';
import { pair, type Scenario } from '../scenario.ts';

const deadlineMs = 60_000;
const unsent = 40;

export const slotLost: Scenario = {
  ...pair,
  name: 'slot-lost',
  row: 21,
  about: 'The slot of a region is lost before the log has its newest changes',
  run: async (stage) => {
    const { load, oracle } = stage.parts;
    const { site } = stage.region('eu');
    await stage.during({ fault: 'the slot is lost', strikes: ['eu'] }, async (overlap) => {
      const before = load.acknowledged('eu');
      await site.kafka?.kill('SIGSTOP');
      await until('changes wait for the log', deadlineMs, () => load.acknowledged('eu') > before + unsent);
      await site.process.kill('SIGKILL');
      await site.kafka?.kill('SIGCONT');
      await until('the slot is dropped', deadlineMs, async () => {
        await query(site.postgres.url, "SELECT pg_drop_replication_slot('isthmus_relay')");
        return true;
      });
      await overlap(0);
      await site.process.restart();
    });
    const count = (region: string, name: string): number => total(oracle.gauges(region), name);
    await until('the loss is seen and repaired', deadlineMs, () => {
      return count('eu', 'gaps_total') > 0 && count('us', 'transfers_total') > 0;
    });
    return `at least ${unsent} changes unsent, ${count('us', 'transfers_total')} transfers`;
  },
};
