import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Who starts servers takes long, however short the file, and comes first; the others fill what is left. */
class ServersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort.call(this, files);
    const [first, rest] = [sorted.filter(startsServers), sorted.filter((file) => !startsServers(file))];
    return [...first, ...rest];
  }
}

function startsServers({ moduleId }: TestSpecification): boolean {
  return moduleId.includes('/test/e2e/');
}

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['**/src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // Two files with servers of their own, a Postgres and a Kafka for each region, fit into two cores and 8 GB; three at once
    // take longer for as much and come beyond their deadlines.
    maxWorkers: 2,
    sequence: { sequencer: ServersFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
