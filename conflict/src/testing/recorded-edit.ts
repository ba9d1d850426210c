/**
 * What a history keeps of an edit that changed something: the bytes before and after, the delta, and the same as facts of
 * the model. Laws of what edits and deltas are to each other are asked of these; they are never changed.
 */
import type { Fact } from './fact.ts';

/** An edit of the library, for tests of what edits and deltas are to each other. */
export interface RecordedEdit {
  /** The state before. */
  readonly before: Uint8Array;
  /** What was to be sent. */
  readonly delta: Uint8Array;
  /** The state after. */
  readonly after: Uint8Array;
  /** What the delta says, and what was known before. */
  readonly facts: ReadonlySet<Fact>;
  /** What was known before. */
  readonly known: ReadonlySet<Fact>;
}
