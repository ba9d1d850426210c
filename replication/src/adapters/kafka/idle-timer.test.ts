import { createRequire } from 'node:module';
import { expect, test, vi } from 'vitest';
import { mendIdleTimer } from './idle-timer.ts';
import { InnerRequestQueue } from './kafkajs-internals.ts';
import type { RequestQueue } from './kafkajs-internals.ts';

mendIdleTimer();

function queueOf(): RequestQueue {
  const ignore = (): void => undefined;
  return new InnerRequestQueue({
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: 'nowhere:1',
    logger: { debug: ignore, warn: ignore },
  });
}

function requestOf(sendRequest: () => void): unknown {
  const ignore = (): void => undefined;
  const entry = {
    correlationId: 1,
    apiKey: 0,
    apiName: 'Test',
    apiVersion: 0,
    resolve: ignore,
    reject: ignore,
  };
  return { entry, expectResponse: true, sendRequest };
}

test('kafkajs is the version whose inner parts are used here', () => {
  const { version }: { version: string } = createRequire(import.meta.url)('kafkajs/package.json');
  expect(version).toBe('2.2.4');
});

test('a connection with nothing to send arms no timer', () => {
  const queue = queueOf();
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();
});

test('a request that throttling holds back is sent when its time has come', async () => {
  const queue = queueOf();
  const send = vi.fn<() => void>();
  queue.throttledUntil = Date.now() + 500;
  queue.push(requestOf(send));
  expect(queue.pending).toHaveLength(1);
  expect(send).not.toHaveBeenCalled();
  await vi.waitFor(() => expect(send).toHaveBeenCalledOnce(), { timeout: 5_000, interval: 5 });
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();
  queue.destroy();
}, 10_000);
