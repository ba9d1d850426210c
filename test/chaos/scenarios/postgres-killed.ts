/** Row 11: the database of a region is killed; writes are refused at once and clearly, and go on after its recovery. */
import { until } from '../../until.ts';
import { between } from '../random.ts';
import { pair, type Scenario } from '../scenario.ts';

const refusedWithinMs = 10_000;
const quickMs = 1000;

export const postgresKilled: Scenario = {
  ...pair,
  name: 'postgres-killed',
  row: 11,
  about: 'The database of a region is killed and comes back',
  run: async (stage) => {
    const { site, client } = stage.region('eu');
    await stage.during({ fault: 'the database is away', strikes: ['eu'] }, async (overlap) => {
      await site.postgres.kill('SIGKILL');
      await until('a write is refused at once', refusedWithinMs, async () => {
        const startedMs = performance.now();
        const { status, retryAfter } = await client.put('products', 'refused', { title: 'x' });
        return status === 503 && retryAfter !== null && performance.now() - startedMs < quickMs;
      });
      await overlap(between(stage.parts.next, 500, 4000));
      await site.postgres.restart();
    });
    return 'writes were refused with 503 and Retry-After, and served after the recovery';
  },
};
