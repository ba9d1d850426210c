/**
 * One table of a database in memory: rows by key, each an immutable value. Every change notes how to undo it, so that
 * a transaction can be rolled back and a crash can take back what was not flushed; whoever notes decides when that is
 * no longer needed. A table never looks into its rows.
 */
export type Undo = () => void;

export class MemoryTable<V, K = string> {
  #rows = new Map<K, V>();
  readonly #note: (undo: Undo) => void;

  constructor(note: (undo: Undo) => void) {
    this.#note = note;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: K): V | undefined {
    return this.#rows.get(key);
  }

  keys(): IterableIterator<K> {
    return this.#rows.keys();
  }

  values(): IterableIterator<V> {
    return this.#rows.values();
  }

  keyed(): IterableIterator<[K, V]> {
    return this.#rows.entries();
  }

  put(key: K, row: V): void {
    this.#noteRow(key);
    this.#rows.set(key, row);
  }

  delete(key: K): void {
    if (!this.#rows.has(key)) return;
    this.#noteRow(key);
    this.#rows.delete(key);
  }

  clear(): void {
    for (const key of Array.from(this.#rows.keys())) this.delete(key);
  }

  /** A copy that later changes leave alone; the returned function brings it back, as often as it is called. */
  copy(): () => void {
    const rows = new Map(this.#rows);
    return () => {
      this.#rows = new Map(rows);
    };
  }

  #noteRow(key: K): void {
    const before = this.#rows.get(key);
    this.#note(() => {
      if (before === undefined) this.#rows.delete(key);
      else this.#rows.set(key, before);
    });
  }
}
