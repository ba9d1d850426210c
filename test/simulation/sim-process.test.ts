/** What a simulated process is told of its requests, where a campaign would only rarely notice. */
import { ReplicationError } from '@isthmus/replication/errors';
import { expect, test } from 'vitest';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { SimProcess } from './sim-process.ts';
import { SimServer } from './sim-server.ts';
import { Trace } from './trace.ts';

const refused = () => new ReplicationError('closed', 'nothing happened', { retriable: true });
const lost = () => new ReplicationError('outcome-unknown', 'it may have happened', { retriable: false });

test('who was silent until its server went on is never told that nothing happened of what did', async () => {
  const scheduler = new Scheduler();
  const trace = new Trace(() => scheduler.nowMs, null);
  const process = new SimProcess('us#1', { scheduler, trace, failpoint: () => undefined });
  const server = new SimServer('postgres', new Random(1));
  const kind = { leastMs: 1, mostMs: 1, isPipelined: false, needsProcess: true, refused, lost };
  let done = 0;
  const work = async (): Promise<string> => {
    done++;
    // The answer takes its time, in which the server would end the session.
    await new Promise<void>((resolve) => void scheduler.after(10, resolve));
    return 'done';
  };
  server.freeze();
  const answer = process.call({ server, kind, name: 'commit', work }).catch((reason: unknown) => reason);
  await scheduler.run(100, () => undefined);
  process.stop();
  await scheduler.run(5000, () => undefined);
  server.thaw();
  process.goOn();
  await scheduler.run(6000, () => undefined);
  expect(done).toBe(1);
  expect(await answer).toBe('done');
});

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
