/** Row 20: the remembered offsets are set back, forward and to nothing; they are hints, so nothing is lost or doubled. */
import { until } from '../../until.ts';
import { query } from '../../contract/fresh-database.ts';
import { pair, type Scenario } from '../scenario.ts';

const readyDeadlineMs = 60_000;
const tampered = [
  ['back', 'greatest(0, next_offset / 2)'],
  ['forward', 'next_offset + 1000000'],
  ['lost', '0'],
] as const;

export const offsets: Scenario = {
  ...pair,
  name: 'offsets',
  row: 20,
  about: 'The offsets of a reader are set back, forward and to nothing',
  run: async (stage) => {
    const { site } = stage.region('us');
    const { load } = stage.parts;
    let rows = 0;
    await stage.during({ fault: 'the offsets are wrong', strikes: ['us'] }, async (overlap) => {
      for (const [, sql] of tampered) {
        await site.process.kill('SIGKILL');
        const changed = await query(
          site.postgres.url,
          `UPDATE isthmus.position SET next_offset = ${sql} WHERE origin = 'eu' RETURNING partition`,
        );
        rows += changed.length;
        await site.process.restart();
        const before = load.acknowledged('us');
        await until('the region works', readyDeadlineMs, () => load.acknowledged('us') > before + 50);
      }
      await overlap(0);
    });
    if (rows === 0) throw new Error('no offset was changed');
    return `${rows} offsets set ${tampered.map(([how]) => how).join(', ')}`;
  },
};
