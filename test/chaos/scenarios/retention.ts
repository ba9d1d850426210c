/** Row 18: retention takes what a peer that was cut off has not read; it sees the gap and fetches what is missing. */
import { until } from '../../until.ts';
import { known, total } from '../gauges.ts';
import { forgetChanges } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';

const noticedWithinMs = 60_000;

export const retention: Scenario = {
  ...pair,
  name: 'retention',
  row: 18,
  about: 'Retention takes what a partitioned peer has not read',
  run: async (stage) => {
    const { oracle } = stage.parts;
    let forgotten = 0;
    await stage.during({ fault: 'retention overruns a partition', strikes: [] }, async (overlap) => {
      stage.setLink('eu', 'us', { state: 'cut' });
      await overlap(4000);
      await until('the own log holds nearly all', noticedWithinMs, () => {
        return (known(oracle.gauges('eu'), 'rpo_seconds{peer="log"}') ?? Infinity) < 2;
      });
      forgotten = await forgetChanges(stage.region('eu'));
      stage.setLink('eu', 'us', { state: 'ok' });
    });
    const count = (name: string): number => total(oracle.gauges('us'), name);
    await until('the gap is seen and repaired', noticedWithinMs, () => {
      return count('gaps_total') > 0 && count('transfers_total') > 0;
    });
    return `${forgotten} log records gone, ${count('gaps_total')} gaps, ${count('transfers_total')} transfers`;
  },
};
