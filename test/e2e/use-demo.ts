/** The demo of a test file: started before its tests, and ended after them with nothing left. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { logsOf } from './demo-logs.ts';
import { startDemo } from './demo.ts';
import { logUnderTest } from './log-under-test.ts';
import type { Demo, LinkState } from './demo.ts';

export interface UsedDemo extends Omit<Demo, 'stop'> {
  /** Sets the links between all regions, both ways. */
  readonly setLinks: (state: LinkState) => Promise<void>;
  /** Addresses of a region's servers. */
  readonly serversOf: (region: string) => Demo['ready']['regions'][number];
}

const startDeadlineMs = 150_000;
const stopDeadlineMs = 30_000;

let shared: { readonly demo: UsedDemo; readonly args: string } | null = null;

/** All suites of a file that ask for this demo get the same one, each as the one before has left it. */
export function shareDemo(args: readonly string[] = []): void {
  shared = { demo: useDemo(args), args: args.join(' ') };
}

/** What it returns can be used once the tests run. */
export function useDemo(args: readonly string[] = []): UsedDemo {
  if (shared?.args === args.join(' ')) return shared.demo;
  let demo: Demo | null = null;
  const started = (): Demo => demo ?? expect.fail('the demo runs');
  beforeAll(async () => {
    demo = await startDemo(['--log', logUnderTest(), ...args]);
  }, startDeadlineMs);
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail' && demo !== null) process.stderr.write(`${await logsOf(demo.pid)}\n`);
  });
  afterAll(async () => {
    expect(await started().stop()).toBe(0);
  }, stopDeadlineMs);
  return {
    get pid() {
      return started().pid;
    },
    get ready() {
      return started().ready;
    },
    get regions() {
      return started().regions;
    },
    region: (name) => started().region(name),
    setLink: (...link) => started().setLink(...link),
    signal: (...process) => started().signal(...process),
    serversOf: (region) =>
      started().ready.regions.find((each) => each.region === region) ?? expect.fail(`the demo has ${region}`),
    setLinks: async (state) => {
      const names = started().regions.map(({ region }) => region);
      const links = names.flatMap((origin) => names.map((target) => [origin, target] as const));
      for (const [origin, target] of links)
        if (origin !== target) await started().setLink(origin, target, state);
    },
  };
}
