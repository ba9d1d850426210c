/**
 * Beats at which nobody told by how much the region's clock had been set back: ages of what was written before them are unknown
 * until a later one is settled (0030). That is right where the process that writes such a beat had not been there before, and
 * wrong where it had, because then it can have seen how the beats of the other came.
 */
import { untoldMs } from '@isthmus/replication/age';

/** Beats come four times a second, and whoever stands by looks at them twice; it may have been busy with other things first. */
const enoughBeats = 12;

/** The beats that one process found in the tables when it read its figures. */
export class FoundBeats {
  #first: number | null = null;
  #last = 0;

  note(newest: number): void {
    // They begin anew with another life.
    if (this.#first === null || newest < this.#last) this.#first = newest;
    this.#last = newest;
  }

  /** Whether it was there while so many came that it must know their times. */
  get areKnown(): boolean {
    return this.#first !== null && this.#last - this.#first >= enoughBeats;
  }
}

export class UntoldBeats {
  #rightly = 0;
  #wrongly = 0;

  /** A beat was written; both times are by the clock as if it had never been set back. */
  written(unsetMs: number, beforeMs: number | null, found: FoundBeats): void {
    if (beforeMs === null || unsetMs - beforeMs < untoldMs / 2) return;
    if (found.areKnown) this.#wrongly++;
    else this.#rightly++;
  }

  /** Whether nobody can tell the age of this moment. */
  hides(nowMs: number, atMs: number | null): boolean {
    const isUntold = atMs !== null && nowMs - atMs >= untoldMs / 2;
    return isUntold && this.#rightly > 0 && this.#wrongly === 0;
  }
}
