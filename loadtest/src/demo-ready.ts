/**
 * How long `isthmus demo` takes to its ready line, as a user starts it: with the default delay between regions and
 * Kafka tuned for a quick start. Caches are warm, because a demo that is not counted runs first. Nothing else of the
 * load test runs meanwhile.
 */
import type { LogKind } from '@isthmus/local/region-log';
import { startDemo } from './demo.ts';
import { type Measure, measure } from './measure.ts';

export async function measureDemoReady(
  runs: number,
  log: LogKind,
  say: (line: string) => void,
): Promise<Measure> {
  const readyMs: number[] = [];
  for (let run = -1; run < runs; run++) {
    const demo = await startDemo(['--log', log]);
    await demo.stop();
    if (run < 0 || demo.readyMs === null) continue;
    readyMs.push(demo.readyMs);
    say(`  run ${run + 1}: ready after ${demo.readyMs} ms`);
  }
  return measure('demo_ready_ms', 'ms', readyMs);
}
