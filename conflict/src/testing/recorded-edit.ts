/** What a history keeps of an edit that changed something. */
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
