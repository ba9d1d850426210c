import { expect, test } from 'vitest';
import { Scheduler } from './scheduler.ts';
import { SimProcess } from './sim-process.ts';
import { Trace } from './trace.ts';

test('a process that was stopped several times has stood since the first, until it goes on', async () => {
  const scheduler = new Scheduler();
  const trace = new Trace(() => scheduler.nowMs, null);
  const process = new SimProcess('us#1', { scheduler, trace, failpoint: () => undefined });
  const go = (untilMs: number): Promise<void> => scheduler.run(untilMs, () => undefined);
  await go(5000);
  process.stop();
  await go(20_000);
  process.stop();
  expect(process.stoppedAtMs).toBe(5000);
  process.goOn();
  expect(process.stoppedAtMs).toBeNull();
  process.stop();
  expect(process.stoppedAtMs).toBe(20_000);
  process.kill();
  expect(process.stoppedAtMs).toBeNull();
});
