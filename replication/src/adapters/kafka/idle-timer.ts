/**
 * Mends one fault of kafkajs 2.2.4: after its first response, each connection re-arms a timer of one millisecond for
 * as long as it lives, to look for requests that throttling holds back, also when there are none. Three per cent of
 * a core go that way for each idle connection. With this in place the timer is armed only while a request waits;
 * one that comes to wait arms it itself, so nothing is ever forgotten.
 */
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

let mended = false;

export function mendIdleTimer(): void {
  if (mended) return;
  mended = true;
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function scheduleWhenWaiting(
    this: RequestQueue,
  ): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
