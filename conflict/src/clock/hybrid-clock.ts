/**
 * A hybrid logical clock for programs that stamp things outside records (Kulkarni et al., 2014). Records do not need
 * it: an edit takes its stamp from the record itself. The clock reads no time; every call is told it. What it sends is
 * above everything that it has sent or accepted. A remote stamp further ahead than the allowed drift is never
 * accepted and never clamped, because a clamped stamp would give one event two times, and one such stamp would
 * otherwise push every later one into the future.
 */
import { checkArgument, isObject, readFrom } from '../arguments.ts';
import { checkedMs, checkedStamp, nextStamp, orderOf, type Stamp } from './stamp.ts';

/** The drift policy of a clock. */
export interface HybridClockOptions {
  /** How far a remote stamp may be ahead of the local time. */
  readonly maxDriftMs: number;
  /** What the caller means to do with a stamp beyond it: drop what carries it, or keep it aside. */
  readonly beyondDrift: 'reject' | 'quarantine';
}

/**
 * What became of a remote stamp. `stamp` is one for the receipt, above the remote one and all before; `aheadMs` says
 * how far the remote one is ahead of the local time.
 */
export type Received =
  | { readonly outcome: 'accepted'; readonly stamp: Stamp }
  | { readonly outcome: 'rejected' | 'quarantined'; readonly aheadMs: number; readonly maxDriftMs: number };

/** A clock of one process; it is told the time by every call, in milliseconds since 1970. */
export class HybridClock {
  readonly #options: HybridClockOptions;
  #last: Stamp | null;

  /**
   * `last` is the highest stamp of an earlier life of the same clock, if it had one. Throws `invalid-argument` where the
   * drift is negative or no number.
   */
  constructor(options: HybridClockOptions, last: Stamp | null = null) {
    checkArgument(isObject(options), 'options', options);
    const { maxDriftMs, beyondDrift } = readFrom(options, 'options', () => ({ ...options }));
    checkArgument(typeof maxDriftMs === 'number' && maxDriftMs >= 0, 'maxDriftMs', maxDriftMs);
    checkArgument(beyondDrift === 'reject' || beyondDrift === 'quarantine', 'beyondDrift', beyondDrift);
    this.#options = { maxDriftMs, beyondDrift };
    this.#last = last === null ? null : checkedStamp(last);
  }

  /** The highest stamp sent or accepted; `null` before the first. */
  get last(): Stamp | null {
    return this.#last;
  }

  /** A stamp above all before. Throws `invalid-argument` where `nowMs` is no time that a stamp can hold. */
  send(nowMs: number): Stamp {
    const stamp = nextStamp(checkedMs(nowMs), this.#last);
    this.#last = stamp;
    return stamp;
  }

  /**
   * Takes a remote stamp into account; one that is too far ahead changes nothing. Throws `invalid-argument` for what is
   * no stamp or no time.
   */
  receive(remote: Stamp, nowMs: number): Received {
    const { maxDriftMs, beyondDrift } = this.#options;
    const stamp = checkedStamp(remote);
    const aheadMs = stamp.ms - checkedMs(nowMs);
    if (aheadMs > maxDriftMs) {
      return { outcome: beyondDrift === 'reject' ? 'rejected' : 'quarantined', aheadMs, maxDriftMs };
    }
    if (this.#last === null || orderOf(stamp, this.#last) > 0) this.#last = stamp;
    return { outcome: 'accepted', stamp: this.send(nowMs) };
  }
}
