/** Row 16: what the log held comes once more, backwards, and in partitions where it does not belong: it has no effect. */
import { until } from '../../until.ts';
import { total } from '../gauges.ts';
import { appendLog, readLog } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';

const replayed = 120;
const misplaced = 20;
const partitions = 8;
const noticedWithinMs = 20_000;

export const duplicates: Scenario = {
  ...pair,
  name: 'duplicates',
  row: 16,
  about: 'Log records are delivered again, in reverse order, and in other partitions',
  run: async (stage) => {
    const eu = stage.region('eu');
    const refused = (): number => total(stage.parts.oracle.gauges('us'), 'refused_log_records_total');
    await stage.during({ fault: 'old log records come again', strikes: [], between: [] }, async (overlap) => {
      const entries = await readLog(eu, replayed);
      await appendLog(eu, entries.toReversed());
      const moved = entries
        .slice(0, misplaced)
        .map(({ partition, value }) => ({ partition: (partition + 1) % partitions, value }));
      await appendLog(eu, moved);
      await until('the misplaced ones are refused', noticedWithinMs, () => refused() >= misplaced);
      await overlap(0);
    });
    return `${replayed} records again and backwards, ${refused()} misplaced ones refused`;
  },
};
