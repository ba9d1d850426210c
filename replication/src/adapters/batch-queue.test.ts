import { expect, test } from 'vitest';
import type { FeedBatch } from '../ports/change-feed.ts';
import { BatchQueue } from './batch-queue.ts';

function batchOf(partition: number, sizeBytes: number): FeedBatch {
  return { partition, records: [{ offset: 0n, bytes: new Uint8Array(sizeBytes) }] };
}

/** Whether a promise has settled by the time that everything already due has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const watched = (async () => {
    await promise;
    done = true;
  })();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  if (done) await watched;
  return done;
}

test('batches come in order, to a reader that waits too', async () => {
  const queue = new BatchQueue(1_000);
  const waiting = queue.take();
  queue.push(batchOf(1, 1));
  queue.push(batchOf(2, 1));
  queue.push(batchOf(3, 1));
  expect((await waiting)?.partition).toBe(1);
  expect((await queue.take())?.partition).toBe(2);
  expect((await queue.take())?.partition).toBe(3);
});

test('there is room below the limit, and again when enough was read', async () => {
  const queue = new BatchQueue(1_000);
  queue.push(batchOf(1, 600));
  expect(await settled(queue.room())).toBe(true);
  queue.push(batchOf(2, 600));
  const rooms = [queue.room(), queue.room()];
  expect(await settled(Promise.race(rooms))).toBe(false);
  await queue.take();
  expect(await settled(Promise.all(rooms))).toBe(true);
});

test('dropping a partition makes room and keeps the others', async () => {
  const queue = new BatchQueue(1_000);
  queue.push(batchOf(1, 900));
  queue.push(batchOf(2, 400));
  queue.push(batchOf(1, 900));
  const room = queue.room();
  queue.drop(1);
  expect(await settled(room)).toBe(true);
  expect((await queue.take())?.partition).toBe(2);
  expect(await settled(queue.take())).toBe(false);
});

test('closing wakes everybody, and nothing more comes', async () => {
  const queue = new BatchQueue(100);
  queue.push(batchOf(1, 900));
  const room = queue.room();
  queue.close();
  expect(await settled(room)).toBe(true);
  expect(await queue.take()).toBeNull();
  queue.push(batchOf(1, 1));
  expect(await queue.take()).toBeNull();
  const other = new BatchQueue(100);
  const waiting = other.take();
  other.close();
  expect(await waiting).toBeNull();
});

test('two readers at once are a bug', async () => {
  const queue = new BatchQueue(100);
  const first = queue.take();
  await expect(queue.take()).rejects.toThrow('one reader');
  queue.close();
  expect(await first).toBeNull();
});
