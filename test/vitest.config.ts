import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest come first, and what is short fills up the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort.call(this, files);
    return sorted.toSorted((one, other) => turnOf(one) - turnOf(other));
  }
}

const longest = [
  /\/e2e\/(?:chaos|crashes|identity|incidents|one-demo|refill|tombstones)/,
  /\/(?:simulation|contract\/(?:change-|postgres-log|postgres-record))/,
];

function turnOf({ moduleId }: TestSpecification): number {
  return longest.some((name) => name.test(moduleId)) ? 0 : 1;
}

/**
 * These start several servers each, a Postgres and a Kafka for each region. Two of them at once fit into two cores and 8 GB;
 * three take longer for as much and come beyond their deadlines.
 */
const regions = [
  'test/{e2e,package}/**/*.test.ts',
  'services/cli/src/**/*.test.ts',
  'deploy/**/src/**/*.test.ts',
  'services/region/src/main.test.ts',
];

/** Of them those that choose nothing for their worker: it loads its modules once for all of them. */
const regionsTogether = [
  'test/e2e/{chaos,crashes,fencing,forged,given-up,guards,identity,incidents,joining}.test.ts',
  'test/e2e/{loadtest,readme,refill,reissue,signing-keys,tombstones}.test.ts',
  'services/cli/src/**/*.test.ts',
];

/** They share the Postgres of their worker, and strike none. */
const onScratch = [
  'test/contract/{agenda-store,awaited-past,conflicting-records,incarnation-store,incidents-and-letters}.test.ts',
  'test/contract/{postgres-tombstone-store,postgres-transfer-store,pulse,record-store-pages}.test.ts',
  'test/contract/{record-store-plans,refill-store,retirement-store,session,session-store,slot-keeper}.test.ts',
  'test/contract/slot-life.test.ts',
  'test/integration/postgres-log-relay.test.ts',
];

/** These leave none of their modules changed: a worker loads those once for all of them. */
const together = [
  ...onScratch,
  '{conflict,loadtest,replication}/**/src/**/*.test.ts',
  'services/region/src/*/**/*.test.ts',
  'services/region/src/!(main).test.ts',
  'test/{checkers,mutants,soak,tidy}/**/*.test.ts',
  'test/api/!(large|reissue|slow-readers).test.ts',
  'test/contract/{log-seal,memory-*,peer-client,retirement-witness,simulated-*,sweeps,timer,transfer-peer}.test.ts',
  'test/integration/!(journal|postgres-log-relay).test.ts',
  'test/simulation/!(simulation).test.ts',
  'test/chaos/**/*.test.ts',
];
/** The rest start a server or two, or none; where they have one they mostly wait for it, so the processors bear a third worker. */
const besideEachOther = 3;
const exclude = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'regions',
          include: regions,
          exclude: [...exclude, ...regionsTogether],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'regions-together',
          include: regionsTogether,
          exclude,
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['**/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...exclude, ...regions, ...together],
          maxWorkers: besideEachOther,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: together,
          exclude,
          isolate: false,
          maxWorkers: besideEachOther,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
