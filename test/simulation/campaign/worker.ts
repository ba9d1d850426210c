/** Runs the seeds that it is given, one after the other. */
import type { ScenarioOptions } from '../scenario.ts';
import { runSeed } from '../seed-result.ts';

/** Failures of servers are errors too, and most of what one costs is its stack. */
Error.stackTraceLimit = 3;

const options: ScenarioOptions = JSON.parse(process.argv[2] ?? '');

process.on('message', (seed: number) => {
  void runSeed(seed, options).then((result) => process.send?.(result));
});
