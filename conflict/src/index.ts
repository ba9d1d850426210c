/**
 * `@isthmus/conflict`: merging small records that several writers change at once, without losing a write. Pure
 * functions over bytes: no I/O, no clock of its own, nothing to keep alive.
 */
export { HybridClock } from './clock/hybrid-clock.ts';
export type { HybridClockOptions, Received } from './clock/hybrid-clock.ts';
export type { Stamp } from './clock/stamp.ts';
export type { JsonValue } from './codec/json.ts';
export { ConflictError } from './errors.ts';
export type { ConflictCode } from './errors.ts';
export type { EditContext } from './record/draft.ts';
export type { Editor } from './record/editor.ts';
export { highestStamp, inspect, liveHash, merge } from './record/merge.ts';
export type { Inspected, InspectedEntry, MergeResult } from './record/merge.ts';
export { schema } from './record/schema.ts';
export type { EditResult, RecordReading, Schema, SchemaOptions, Sibling } from './record/schema.ts';
export { counter, register } from './types/declaration.ts';
export type {
  CounterDeclaration,
  FieldDeclaration,
  Fields,
  RegisterDeclaration,
} from './types/declaration.ts';
