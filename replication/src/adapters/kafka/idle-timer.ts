/**
 * Mends one fault of kafkajs 2.2.4: after its first response, each connection re-arms a timer of one millisecond for
 * as long as it lives, to look for requests that throttling holds back, also when there are none. Three per cent of
 * a core go that way for each idle connection. With this in place the timer is armed only while a request waits;
 * one that comes to wait arms it itself, so nothing is ever forgotten.
 */
import { InnerRequestQueue } from './kafkajs-internals.ts';
import type { RequestQueue } from './kafkajs-internals.ts';

let mended = false;

export function mendIdleTimer(): void {
  if (mended) return;
  mended = true;
  const prototype: RequestQueue = InnerRequestQueue.prototype;
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhenWaiting() {
    if (this.pending.length > 0) schedule.call(this);
  };
}
