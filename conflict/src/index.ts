/**
 * The one entry of `@isthmus/conflict`: schemas, merging, reading, clocks and contexts. Text lives in
 * `@isthmus/conflict/text`, so that nobody loads Yjs without need.
 */
export { CausalContext } from './causal/causal-context.ts';
export type { Dot, SeenOfActor } from './causal/seen.ts';
export { checkFence, type Observed, StabilityTracker } from './causal/stability-tracker.ts';
export { VersionVector } from './causal/version-vector.ts';
export { HybridClock, type HybridClockOptions, type Received } from './clock/hybrid-clock.ts';
export { compareStamps, type Stamp } from './clock/stamp.ts';
export { namesOf, type Path, pathOf } from './codec/path.ts';
export { open, seal } from './codec/seal.ts';
export type { JsonValue } from './codec/value.ts';
export type { Described } from './described.ts';
export { AssertionFailure, type ConflictCode, type ConflictDetails, ConflictError } from './errors.ts';
export { type Collectable, collectable } from './record/collectable.ts';
export { compact, type Compacted } from './record/compact.ts';
export { diff, type FieldChange } from './record/diff.ts';
export { hasSiblings } from './record/has-siblings.ts';
export type { Editor } from './record/operations.ts';
export {
  type InspectedActor,
  type InspectedEntry,
  type InspectedField,
  type Inspection,
  inspect,
} from './record/inspect.ts';
export { mayBeDead } from './record/may-be-dead.ts';
export { merge, type Merged } from './record/merge.ts';
export { mergeMany } from './record/merge-many.ts';
export {
  type EditContext,
  type Edited,
  type Limits,
  type ReadResult,
  type Schema,
  type SchemaOptions,
  schema,
} from './record/schema.ts';
export { contextOf, highestStamp, isDead, liveHash, version } from './record/summary.ts';
export { validate } from './record/validate.ts';
export {
  type BoundedCounterField,
  boundedCounter,
  type CounterField,
  counter,
  type DeclaredMapField,
  type Field,
  type Fields,
  type MapField,
  map,
  type OpenMapField,
  type RegisterField,
  type Resolver,
  register,
  type SetField,
  type Sibling,
  set,
  type TextField,
  text,
} from './types/field.ts';
export type { ElementInput, FieldPaths, RecordInput, RegisterPath } from './types/field-path.ts';
export type { RightsMove } from './types/bounded-counter.ts';
export type { FieldValue, RecordValue } from './types/record-value.ts';
export type { Element } from './types/set.ts';
export type { Splice, TextEngine } from './types/text.ts';
