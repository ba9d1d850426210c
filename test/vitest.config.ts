import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Who starts servers takes long, however short the file, and comes first; the others fill what is left. */
class ServersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort.call(this, files);
    return sorted.toSorted((one, other) => turnOf(one) - turnOf(other));
  }
}

function turnOf({ moduleId }: TestSpecification): number {
  if (/\/test\/e2e\/(?:crashes|one-demo)/.test(moduleId)) return 0;
  return moduleId.includes('/test/e2e/') ? 1 : 2;
}

/** These start no process and leave none of their modules changed: a worker loads those once for all of them. */
const together = [
  '{conflict,loadtest,replication}/**/src/**/*.test.ts',
  'services/region/src/*/**/*.test.ts',
  'services/region/src/!(main).test.ts',
  'test/{checkers,mutants,soak,tidy}/**/*.test.ts',
  'test/contract/{log-seal,memory-*,peer-client,retirement-witness,simulated-*,sweeps,timer,transfer-peer}.test.ts',
  'test/integration/!(journal|postgres-log-relay).test.ts',
  'test/simulation/!(simulation).test.ts',
  'test/chaos/**/*.test.ts',
];
const exclude = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    // Two files with servers of their own, a Postgres and a Kafka for each region, fit into two cores and 8 GB; three at once
    // take longer for as much and come beyond their deadlines.
    maxWorkers: 2,
    sequence: { sequencer: ServersFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['**/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...exclude, ...together],
        },
      },
      { extends: true, test: { name: 'together', include: together, exclude, isolate: false } },
    ],
  },
});
