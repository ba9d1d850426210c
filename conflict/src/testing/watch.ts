/** What was worth seeing in one edit or merge, found in the model and noted for the figures of a campaign. */
import { namesOf } from '../codec/path.ts';
import type { Fields } from '../types/field.ts';
import type { Coverage } from './coverage.ts';
import { samePath } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import { balanceOf, forgivenTo } from './model-rights.ts';
import { existsIn, fieldAt } from './model-view.ts';
import type { Operation } from './operation.ts';
import type { Replica } from './replica.ts';

export interface WatchedEdit {
  readonly before: Knowledge;
  readonly after: Knowledge;
  readonly operations: readonly Operation[];
  readonly actor: string;
}

export function watchEdit(coverage: Coverage, edit: WatchedEdit): void {
  const { before, after, operations } = edit;
  coverage.note('edit');
  coverage.note('delete', existsIn(before) && !existsIn(after));
  coverage.note('record created again', before.facts.size > 0 && !existsIn(before) && existsIn(after));
  for (const operation of operations) watchOperation(coverage, operation, edit);
}

export interface WatchedLife {
  readonly before: Knowledge;
  readonly after: Knowledge;
  readonly context: { readonly floor: number; readonly floorMs: number; readonly now: number };
  /** Some have dropped what others still hold. */
  readonly isApart: boolean;
}

/** Notes how a record was created again. */
export function watchLife(coverage: Coverage, { before, after, context, isApart }: WatchedLife): void {
  if (existsIn(before) || !existsIn(after)) return;
  const { floor, floorMs, now } = context;
  const isByWhoDropped = floor > 0 && before.facts.size === 0;
  coverage.note('creation above a floor', isByWhoDropped);
  coverage.note('created again by a clock behind', isByWhoDropped && now <= floorMs);
  if (!isApart) return;
  coverage.note('record created again while others hold the old one', isByWhoDropped);
  coverage.note('record created again where others have dropped it', before.facts.size > 0);
  const hasText = after.writes().some(({ of }) => of === 'chunk');
  coverage.note('text created again while others hold its remains', isByWhoDropped && hasText);
}

/** Notes what the others held when one replica dropped the record. */
export function watchDrop(coverage: Coverage, others: readonly Replica[]): void {
  coverage.note(
    'record dropped by some',
    others.some(({ known }) => known.facts.size > 0),
  );
  coverage.note(
    'record dropped beside a new life',
    others.some(({ known }) => existsIn(known)),
  );
}

/** Notes which registers show one of several values. */
export function watchShown(coverage: Coverage, fields: Fields, conflicts: readonly string[]): void {
  const isResolved = (path: string) => {
    const field = fieldAt(fields, namesOf(path));
    return field?.type === 'register' && typeof field.resolve === 'function';
  };
  coverage.note('conflict shown', conflicts.length > 0);
  coverage.note('value chosen by a resolver', conflicts.some(isResolved));
}

function watchOperation(coverage: Coverage, operation: Operation, { before, actor }: WatchedEdit): void {
  if (operation.op === 'delete' || operation.op === 'put') return;
  const { path } = operation;
  coverage.note('four maps deep', path.length > 4);
  if (operation.op === 'moveRights') coverage.note('rights moved', operation.amount > 0);
  if (operation.op !== 'increment') return;
  const own = before.increments().filter((each) => each.actor === actor && samePath(each.path, path));
  coverage.note('slot begun anew', own.length > 0 && own.every((each) => !before.isOpen(each)));
}

/** Notes also what came before its past. `isDelete`: what was merged is a delete that the replica had not seen. */
export function watchMerge(coverage: Coverage, known: Knowledge, isDelete: boolean): void {
  const deletion = known.deletion();
  coverage.note('later write before what it overwrote went', known.current().length < known.writes().length);
  coverage.note(
    'delete beside a concurrent update',
    isDelete && known.writes().some(({ of }) => of !== 'deletion'),
  );
  coverage.note(
    'record hidden by a later delete',
    deletion !== null && known.writes().some((each) => known.isHidden(each)),
  );
  const indebted = known.accounts().some(({ path, actor }) => forgivenTo(balanceOf(known, path, actor)) > 0);
  coverage.note('debt forgiven', indebted);
  const removals = known.writes().filter((write) => write.of === 'removed' && !known.isHidden(write));
  const beaten = removals.some((removal) =>
    known.writesAt(removal.path).some((write) => write.of === 'added' && write.value === removal.value),
  );
  coverage.note('removal beats an addition', beaten);
}
