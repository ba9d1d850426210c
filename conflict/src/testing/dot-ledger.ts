/**
 * Every dot that was ever issued in a history, and for what. Dots are what the library tells writes apart by, so one
 * that is issued twice loses a write, at once or long after; a collected record that is created again is where it
 * would happen.
 */
import { inspect } from '../record/inspect.ts';
import { contextOf } from '../record/summary.ts';

export class DotLedger {
  /** Highest counter of each actor, over all lives of the record. */
  readonly #issued = new Map<string, number>();
  /** What each dot of this life stands for. */
  readonly #meaning = new Map<string, string>();

  /** The record was collected: no dot of its life comes back. */
  beginLife(): void {
    this.#meaning.clear();
  }

  /** Takes in a new delta of an actor. Says what is wrong with its dots, or nothing. */
  claim(delta: Uint8Array, actor: string): string | null {
    const issued = this.#issued.get(actor) ?? 0;
    const last = contextOf(delta).last(actor);
    if (last <= issued) return `the edit of ${actor} ends with dot ${last}, after ${issued} was issued`;
    this.#issued.set(actor, last);
    for (const { path, type, entries } of inspect(delta).fields) {
      for (const entry of entries) {
        const dot = `${entry.counter} of ${entry.actor}`;
        const isSlot = ['counter', 'bounded-counter', 'moved rights'].includes(type);
        const meaning = `${type} ${path} ${isSlot ? '' : JSON.stringify(entry.value)}`;
        const known = this.#meaning.get(dot);
        const isOld = entry.actor !== actor || entry.counter <= issued;
        if (known !== undefined && known !== meaning) return `dot ${dot} stands for ${known} and ${meaning}`;
        if (known === undefined && isOld) return `dot ${dot} of ${meaning} was issued before`;
        if (entry.actor === actor && entry.counter >= last) return `dot ${dot} of ${meaning} ends its edit`;
        this.#meaning.set(dot, meaning);
      }
    }
    return null;
  }
}
