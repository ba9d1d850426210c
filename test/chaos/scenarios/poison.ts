/** Row 24: somebody else writes into the log: noise, damaged records, another region's, JSON of no end. All is dropped. */
import { until } from '../../until.ts';
import { total } from '../gauges.ts';
import { appendLog, type LogEntry, readLog } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const noticedWithinMs = 30_000;
const sampled = 20;
const largestBytes = 4_000_000;
const tooLargeBytes = 5_000_000;
const depth = 100_000;

export const poison: Scenario = {
  ...pair,
  name: 'poison',
  row: 24,
  about: 'Noise, damaged and foreign records and endless JSON are written into the log of a region',
  run: async (stage) => {
    const eu = stage.region('eu');
    const refused = (): number => total(stage.parts.oracle.gauges('us'), 'refused_log_records_total');
    let [sent, tooLarge] = [0, 'taken'];
    await stage.during({ fault: 'the log is poisoned', strikes: [] }, async (overlap) => {
      const entries = await poisons(stage);
      sent = entries.length;
      await appendLog(eu, entries);
      const huge = { partition: 0, value: Buffer.alloc(tooLargeBytes, 7) };
      tooLarge = await appendLog(eu, [huge]).then(
        () => 'taken',
        () => 'not taken by the broker',
      );
      await until('all of it is refused', noticedWithinMs, () => refused() >= sent);
      await overlap(0);
    });
    if (tooLarge === 'taken') throw new Error(`a record of ${tooLargeBytes} bytes was taken`);
    return `${refused()} of ${sent} records refused, one of ${tooLargeBytes} bytes ${tooLarge}`;
  },
};

async function poisons(stage: Stage): Promise<readonly LogEntry[]> {
  const own = await readLog(stage.region('eu'), sampled);
  const foreign = await readLog(stage.region('us'), sampled);
  const made = ['', '{"lsn":NaN}', '['.repeat(depth), 'x'.repeat(largestBytes)];
  return [
    ...made.map((text, at) => ({ partition: at, value: Buffer.from(text) })),
    ...own.map(({ partition, value }) => ({ partition, value: damaged(value, stage) })),
    ...own.map(({ partition, value }) => ({ partition, value: value.subarray(0, value.length - 1) })),
    ...foreign,
  ];
}

/** One bit is another. */
function damaged(value: Buffer, { parts: { next } }: Stage): Buffer {
  const bytes = Buffer.from(value);
  const at = Math.floor(next() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(next() * 8));
  return bytes;
}
