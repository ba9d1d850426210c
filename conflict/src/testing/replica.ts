/** One replica of a history in its two forms, which have to agree after every step. */
import type { Knowledge } from './knowledge.ts';

/** One replica, as bytes and as facts. */
export interface Replica {
  /** The name under which it writes now. */
  actor: string;
  /** Every name that it ever wrote under in the life of this record. */
  names: string[];
  /** What the library holds. */
  state: Uint8Array;
  /** What the model knows. */
  known: Knowledge;
}
