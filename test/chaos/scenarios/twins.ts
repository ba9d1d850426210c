/** Row 23: a copy of a region's database is started beside it: it takes no write, and the living one goes on. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startPostgres } from '@isthmus/local/postgres';
import { prepareRegionProcess } from '@isthmus/local/region-process';
import { z } from 'zod';
import { RegionClient } from '../../e2e/region-client.ts';
import { until } from '../../until.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const refusedWithinMs = 60_000;
const identity = z.object({ guard: z.object({ kind: z.string() }) });

export const twins: Scenario = {
  ...pair,
  name: 'twins',
  row: 23,
  about: 'A copy of the database of a region is started beside the living one',
  run: async (stage) => {
    await stage.during({ fault: 'the database is copied', strikes: ['eu'] }, async (overlap) => {
      const { process, postgres } = stage.region('eu').site;
      await process.kill('SIGKILL');
      await postgres.kill('SIGKILL');
      copy(stage.parts.folder);
      await postgres.restart();
      await process.restart();
      await overlap(0);
    });
    let status = 0;
    await stage.during({ fault: 'two databases have one identity', strikes: [] }, async (overlap) => {
      const twin = await startTwin(stage);
      await until(
        'the copy is refused',
        refusedWithinMs,
        async () => (await guardOf(twin.admin)) === 'refused',
      );
      ({ status } = await twin.client.put('products', 'by the copy', { title: 'x' }));
      await overlap(0);
      if ((await guardOf(stage.region('eu').site.process.admin)) !== 'proven')
        throw new Error('the living database is not proven any more');
    });
    if (status !== 503) throw new Error(`the copy answered ${status} to a write`);
    return 'the copy was refused and answered 503; the living database stayed proven';
  },
};

function copy(folder: string): void {
  execFileSync('mkdir', [join(folder, 'twin')]);
  for (const part of ['data', 'password'])
    execFileSync('cp', ['-a', join(folder, 'eu', 'postgres', part), join(folder, 'twin')]);
}

interface Twin {
  readonly admin: string;
  readonly client: RegionClient;
}

async function startTwin(stage: Stage): Promise<Twin> {
  const { parts } = stage;
  const postgres = await startPostgres({ keepIn: join(parts.folder, 'twin') });
  parts.onEnd(() => postgres.stop());
  const settings = { ISTHMUS_KAFKA_BROKERS: stage.region('eu').site.brokers };
  const prepared = await prepareRegionProcess({ region: 'eu', database: postgres.url, settings, peers: [] });
  const twin = await prepared.start();
  parts.onEnd(() => twin.stop());
  return { admin: twin.admin, client: new RegionClient({ region: 'eu', api: twin.api, admin: twin.admin }) };
}

async function guardOf(admin: string): Promise<string> {
  const body: unknown = await (await fetch(`${admin}/v1/identity`)).json();
  return identity.parse(body).guard.kind;
}
