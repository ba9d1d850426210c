/** What replicas remember of records that they have collected: where the dots and stamps of new ones begin. */
import { contextOf, highestStamp } from '../record/summary.ts';

export class Floors {
  readonly #counters = new Map<string, number>();
  #ms = 0;

  /** What an actor gives to its edits. */
  of(actor: string): { readonly floor: number; readonly floorMs: number } {
    return { floor: this.#counters.get(actor) ?? 0, floorMs: this.#ms };
  }

  /** The actor is about to collect this record. */
  raise(actor: string, state: Uint8Array): void {
    this.#counters.set(actor, Math.max(this.of(actor).floor, contextOf(state).last(actor)));
    this.#ms = Math.max(this.#ms, highestStamp(state) ?? 0);
  }

  /** The actor has not collected its record after all. */
  lower(actor: string, floor: number): void {
    this.#counters.set(actor, floor);
  }
}
