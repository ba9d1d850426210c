/**
 * How old an own beat is, by the monotonic clock and from what was read of the own beats. By number it is at least as old
 * as the beats after it take where each comes in time; where commits are slow fewer come, because those whose time has
 * passed fall out, and then it is at least as old as the time since a newer one was first seen.
 */
import { oldMs } from './link-monitor.ts';

interface SeenBeat {
  readonly number: number;
  readonly readAtMs: number;
}

/** No older sight says more: what is older than this is old. */
const keptMs = 2 * oldMs;

export class OwnBeats {
  readonly #intervalMs: number;
  #newest: SeenBeat | null = null;
  /** Each as it was first seen, the oldest first. */
  #seen: SeenBeat[] = [];

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** `number` is that of the newest one, and `readAtMs` when the reading began. */
  see(number: number, readAtMs: number): void {
    const before = this.#newest?.number ?? null;
    this.#newest = { number, readAtMs };
    if (before === number) return;
    // Numbers that go back are those of another life.
    const seen = before === null || number < before ? [] : this.#seen;
    const isSpoken = (_: SeenBeat, index: number): boolean =>
      (seen[index + 1]?.readAtMs ?? readAtMs) > readAtMs - keptMs;
    this.#seen = [...seen.filter(isSpoken), this.#newest];
  }

  /** `null`: none was ever read. */
  ageMs(beat: number, nowMs: number): number | null {
    if (this.#newest === null) return null;
    const { number, readAtMs } = this.#newest;
    const counted = Math.max(0, number - beat) * this.#intervalMs + (nowMs - readAtMs);
    const newer = this.#seen.find((seen) => seen.number > beat);
    return newer === undefined ? counted : Math.max(counted, nowMs - newer.readAtMs);
  }
}
