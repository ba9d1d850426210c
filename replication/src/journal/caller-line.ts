/**
 * Callers that wait for a transaction, in order of arrival. Who is taken holds the records that they touch until
 * their transaction has ended, and nobody is taken who touches a held record, nor anyone behind them who touches one
 * of theirs: so callers of one record are served in order although several transactions are under way, and no
 * transaction ever waits for the locks of another of ours. Each taking looks at no more than one transaction's worth
 * of edits, however long the line is.
 */
import { maxTransactionRecords } from '../transaction-limits.ts';

/** Someone who waits, with the names of the records touched. */
export interface InLine {
  readonly names: readonly string[];
}

export class CallerLine<C extends InLine> {
  readonly #held = new Set<string>();
  #waiting: C[] = [];
  #edits = 0;

  /** Edits of those who wait. */
  get edits(): number {
    return this.#edits;
  }

  /** How many wait. */
  get callers(): number {
    return this.#waiting.length;
  }

  join(caller: C): void {
    this.#waiting.push(caller);
    this.#edits += caller.names.length;
  }

  /** `left` gets those who wait and gives back those of them who go on waiting. */
  thin(left: (waiting: readonly C[]) => readonly C[]): void {
    this.#waiting = [...left(this.#waiting)];
    this.#edits = this.#waiting.reduce((sum, { names }) => sum + names.length, 0);
  }

  /** Those from the front who fit into one transaction and may be served now; nobody where no one may. */
  take(): readonly C[] {
    const front = this.#waiting.splice(0, this.#reach());
    const { taken, passedOver } =
      this.#held.size === 0 ? { taken: front, passedOver: [] } : this.#part(front);
    if (passedOver.length > 0) this.#waiting.unshift(...passedOver);
    for (const { names } of taken) {
      this.#edits -= names.length;
      for (const name of names) this.#held.add(name);
    }
    return taken;
  }

  /** Their transaction has ended; those who could not be served in it come first again. */
  release(taken: readonly C[], unserved: readonly C[]): void {
    for (const { names } of taken) for (const name of names) this.#held.delete(name);
    if (unserved.length === 0) return;
    for (const { names } of unserved) this.#edits += names.length;
    this.#waiting.unshift(...unserved);
  }

  /** How many callers one transaction has room for; at least one. */
  #reach(): number {
    let edits = 0;
    let callers = 0;
    for (const { names } of this.#waiting) {
      if (callers > 0 && edits + names.length > maxTransactionRecords) break;
      edits += names.length;
      callers++;
    }
    return callers;
  }

  #part(front: readonly C[]): { readonly taken: readonly C[]; readonly passedOver: readonly C[] } {
    const taken: C[] = [];
    const passedOver: C[] = [];
    const awaited = new Set<string>();
    for (const caller of front) {
      if (caller.names.some((name) => this.#held.has(name) || awaited.has(name))) {
        passedOver.push(caller);
        for (const name of caller.names) awaited.add(name);
      } else taken.push(caller);
    }
    return { taken, passedOver };
  }
}
