/**
 * `@isthmus/conflict/testing`: the model that this library is tested against, the histories that are played on both,
 * and the generators of schemas and operations, for embedders' own tests. `runHistory({ seed, steps, schema })` plays a
 * history on one's own schema and throws `HistoryFailure` where the library and the model part. Nothing here is for
 * production; the model is slow on purpose.
 */
export type { Action, Source } from './action.ts';
export { difference } from './comparison.ts';
export { Coverage, type Sight, sights } from './coverage.ts';
export type { Fact } from './fact.ts';
export { type HistoryOptions, type HistoryReport, runHistory } from './history.ts';
export { HistoryFailure } from './history-failure.ts';
export { Knowledge } from './knowledge.ts';
export { ModelEdit } from './model-edit.ts';
export { viewOf } from './model-view.ts';
export { carryOut, type Operation } from './operation.ts';
export { Random } from './random.ts';
export { randomOperations, type Scene } from './random-operation.ts';
export { randomFields } from './random-schema.ts';
export type { Replica } from './replica.ts';
export type { RecordedEdit } from './recorded-edit.ts';
