/** Runs the seeds that it is given, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@isthmus/replication/errors';
import type { ScenarioOptions } from './scenario.ts';
import { runSeed } from './seed-result.ts';

/** Failures of servers are errors too, and most of what one costs is its stack. */
Error.stackTraceLimit = 3;

const port = parentPort;
assert(port !== null, 'a worker has a parent');
const { options }: { readonly options: ScenarioOptions } = workerData;
port.on('message', (seed: number) => {
  void runSeed(seed, options).then((result) => port.postMessage(result));
});
