/** No fault at all: nothing is repaired then, because repair would hide what is broken. */
import { total } from '../gauges.ts';
import { pair, type Scenario } from '../scenario.ts';

export const quiet: Scenario = {
  ...pair,
  name: 'quiet',
  row: 0,
  about: 'No fault; there is no gap, no transfer and no dead letter',
  run: async (stage) => {
    await stage.during({ fault: 'nothing happens', strikes: [], between: [] }, (overlap) => overlap(3000));
    for (const { name } of stage.parts.regions) {
      const gauges = stage.parts.oracle.gauges(name);
      for (const counter of ['gaps_total', 'transfers_total', 'refused_log_records_total', 'dead_letters'])
        if (total(gauges, counter) > 0) throw new Error(`${name} shows ${counter} without a fault`);
    }
    return 'no gap, no transfer, no dead letter';
  },
};
