/**
 * A hybrid logical clock for embedders that issue stamps for many records from one place. It reads no clock:
 * the caller says what time it is. Every stamp sent is above all stamps sent and received before. A received
 * stamp further ahead than the allowed drift is never taken in, and never changed either: it comes back as
 * rejected or quarantined, and one wrong clock elsewhere cannot poison this one.
 */
import type { Stamp } from './stamp.ts';
import { compareStamps, nextStamp, wholeMs } from './stamp.ts';

export interface HybridClockOptions {
  readonly maxDriftMs: number;
  readonly beyondDrift: 'reject' | 'quarantine';
}

export type Received =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'rejected' | 'quarantined'; readonly aheadMs: number; readonly maxDriftMs: number };

export class HybridClock {
  private readonly options: HybridClockOptions;
  private highest: Stamp | null = null;

  constructor(options: HybridClockOptions) {
    this.options = options;
  }

  send(nowMs: number): Stamp {
    this.highest = nextStamp(this.highest, nowMs);
    return this.highest;
  }

  receive(stamp: Stamp, nowMs: number): Received {
    const aheadMs = stamp.ms - wholeMs(nowMs);
    const { maxDriftMs, beyondDrift } = this.options;
    if (aheadMs > maxDriftMs) {
      return { outcome: beyondDrift === 'reject' ? 'rejected' : 'quarantined', aheadMs, maxDriftMs };
    }
    if (this.highest === null || compareStamps(stamp, this.highest) > 0) this.highest = stamp;
    return { outcome: 'accepted' };
  }
}
