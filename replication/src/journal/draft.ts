/**
 * The records of one local transaction while its callers edit them, one caller after the other. What a caller stages
 * is seen by its own later edits at once and by later callers only once accepted; it is discarded whole when the
 * caller is refused or fails. A draft never grows past what one log record can carry (P2): a caller who does not fit
 * any more is told so and comes again in the next transaction. It counts the bytes that edits work on, which is what their
 * time goes by.
 */
import { merge } from '@isthmus/conflict';
import { ReplicationError, assert } from '../errors.ts';
import type { RecordId } from '../ports/change.ts';
import type { Actor } from '../ports/identity.ts';
import type { LocalWrite } from '../ports/record-store.ts';
import { fitsTransaction, maxLoneDeltaBytes, maxTransactionDeltaBytes } from '../transaction-limits.ts';

/** A record's change in a transaction that it shares with others (P2). */
const maxDeltaBytes = 256 * 1024;

export interface EditContext {
  readonly actor: Actor;
  readonly floor: number;
  /** What collection dropped was stamped no later; 0: nothing was dropped. */
  readonly floorMs: number;
  /** Milliseconds since 1970, whole. */
  readonly now: number;
}

export type Edited<T, R> =
  | {
      readonly kind: 'write';
      readonly state: Uint8Array;
      readonly delta: Uint8Array;
      readonly result: T;
    }
  | { readonly kind: 'keep'; readonly result: T }
  | { readonly kind: 'refuse'; readonly refusal: R };

export interface Edit<T, R> {
  readonly id: RecordId;
  /** `before` is empty where nothing is stored. Must have no effects: it runs again when the store retries. */
  readonly edit: (before: Uint8Array, context: EditContext) => Edited<T, R>;
}

interface Staged {
  readonly state: Uint8Array;
  readonly delta: Uint8Array;
}

export class TransactionDraft {
  readonly context: EditContext;
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #stored: readonly Uint8Array[];
  readonly #accepted = new Map<string, Staged>();
  readonly #staged = new Map<string, Staged>();
  #acceptedBytes = 0;
  #workedBytes = 0;

  /** `indexes` says by name where in `stored` a record's state is. */
  constructor(indexes: ReadonlyMap<string, number>, stored: readonly Uint8Array[], context: EditContext) {
    this.context = context;
    this.#indexes = indexes;
    this.#stored = stored;
  }

  /** Bytes of states and deltas that edits have taken and made so far. */
  get workedBytes(): number {
    return this.#workedBytes;
  }

  /** The record as the present caller sees it. */
  state(name: string): Uint8Array {
    const state = this.#present(name);
    this.#workedBytes += state.length;
    return state;
  }

  /** Bytes of the record as the present caller sees it. */
  sizeOf(name: string): number {
    return this.#present(name).length;
  }

  stage(name: string, state: Uint8Array, delta: Uint8Array): void {
    const earlier = this.#newest(name);
    const joined = earlier === undefined ? delta : merge(earlier.delta, delta).state;
    this.#workedBytes += state.length + joined.length;
    this.#staged.set(name, { state, delta: joined });
  }

  /**
   * Takes over what is staged. `false`: it does not fit beside what earlier callers wrote. Throws
   * `transaction-too-large` where it would not fit into a transaction of its own either.
   */
  accept(): boolean {
    const bytes = this.#bytesWithStaged();
    const isLone = this.#accepted.size === 0 && this.#staged.size === 1;
    const fits = bytes <= maxTransactionDeltaBytes && this.#largestStaged() <= maxDeltaBytes;
    if (!fits && !(isLone && fitsTransaction(1, bytes))) {
      if (this.#accepted.size === 0) throw tooLarge(bytes);
      this.discard();
      return false;
    }
    for (const [name, staged] of this.#staged) this.#accepted.set(name, staged);
    this.#acceptedBytes = bytes;
    this.#staged.clear();
    return true;
  }

  discard(): void {
    this.#staged.clear();
  }

  writes(): readonly LocalWrite[] {
    return [...this.#accepted].map(([name, { state, delta }]) => {
      const index = this.#indexes.get(name);
      assert(index !== undefined, 'every written record is locked');
      return { index, state, delta };
    });
  }

  #present(name: string): Uint8Array {
    const state = this.#newest(name)?.state ?? this.#stored[this.#indexes.get(name) ?? -1];
    assert(state !== undefined, 'every edited record is locked');
    return state;
  }

  #newest(name: string): Staged | undefined {
    return this.#staged.get(name) ?? this.#accepted.get(name);
  }

  #bytesWithStaged(): number {
    let bytes = this.#acceptedBytes;
    for (const [name, { delta }] of this.#staged) {
      bytes += delta.length - (this.#accepted.get(name)?.delta.length ?? 0);
    }
    return bytes;
  }

  #largestStaged(): number {
    let largest = 0;
    for (const { delta } of this.#staged.values()) largest = Math.max(largest, delta.length);
    return largest;
  }
}

/** Names a record in maps; collection names hold no NUL, so two records never share one. */
export function recordName(id: RecordId): string {
  return `${id.collection}\u0000${id.key}`;
}

function tooLarge(bytes: number): ReplicationError {
  const detail =
    `the changes of one transaction take ${bytes} bytes; at most ${maxTransactionDeltaBytes}, ` +
    `and at most ${maxDeltaBytes} for one record, or ${maxLoneDeltaBytes} for one alone`;
  return new ReplicationError('transaction-too-large', detail, {
    retriable: false,
  });
}
