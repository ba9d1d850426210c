/**
 * `@isthmus/conflict`: who wins. Pure functions over bytes that merge small records without losing a write.
 * Nothing here reads a clock, draws chance, or does I/O; the same arguments always give the same bytes.
 */
export type { Received, HybridClockOptions } from './clock/hybrid-clock.ts';
export { HybridClock } from './clock/hybrid-clock.ts';
export type { Stamp } from './clock/stamp.ts';
export type { JsonValue } from './codec/json.ts';
export type { ConflictCode, ConflictDetail, Described } from './errors.ts';
export { ConflictError } from './errors.ts';
export type { CounterSlot } from './record/counter-slot.ts';
export type { Dot } from './record/decoded.ts';
export type { EditContext } from './record/delta.ts';
export type { Editor } from './record/editor.ts';
export type { InspectedEntry, Inspection } from './record/inspect.ts';
export { inspect } from './record/inspect.ts';
export type { MergeResult } from './record/merge.ts';
export { merge } from './record/merge.ts';
export type { RecordView, Sibling } from './record/read.ts';
export type { EditResult, Schema } from './record/schema.ts';
export { schema } from './record/schema.ts';
export { highestStamp, isDead, liveHash, version } from './record/summary.ts';
export { validate } from './record/validate.ts';
export type {
  CounterDeclaration,
  FieldDeclaration,
  FieldDeclarations,
  RegisterDeclaration,
  SchemaOptions,
} from './types/declarations.ts';
export { counter, register } from './types/declarations.ts';
