/**
 * Collection in the model: once everybody knows the same, whatever shows nothing may go, but for removals. It is said with the same
 * facts as everything else, so that a replica which collected late still agrees.
 */
import { type Fact, gone, samePath, type Write } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import { accountsAt, isSpent, standingOf } from './model-rights.ts';
import { existsIn, isLiveWrite, lettersOf } from './model-view.ts';

export function collectable(known: Knowledge): readonly Fact[] {
  const dead = known.writes().filter((write) => !isKept(known, write));
  const texts = dead.filter((write) => write.of === 'chunk' || write.of === 'remnant');
  const typed = texts.map(({ path }): Fact => {
    const after = known.typedAt(path);
    return { kind: 'typed', path, inserted: [], erased: [...lettersOf(after)], between: ['', ''], after };
  });
  const closed = known
    .accounts()
    .filter(({ path }) => accountsAt(known, path).every((each) => isSpent(standingOf(known, each))))
    .map((account): Fact => ({ kind: 'closed', account, life: known.lifeOf(account) }));
  return [...dead.map(gone), ...typed, ...closed];
}

function isKept(known: Knowledge, write: Write): boolean {
  if (!existsIn(known)) return write === known.deletion() && hasHiddenSlots(known);
  // A removal stays with the record, so that who adds again can say that it has seen it.
  if (write.of === 'removed') return !known.isHidden(write);
  if (write.of !== 'remnant') return isLiveWrite(known, write);
  return known
    .writes()
    .some((each) => each.of === 'chunk' && samePath(each.path, write.path) && isLiveWrite(known, each));
}

/** Without the deletion, what it has not seen of counters would bring the record back. */
function hasHiddenSlots(known: Knowledge): boolean {
  return (
    known.increments().some((each) => known.isOpen(each)) ||
    known.accounts().some((account) => !isSpent(standingOf(known, account)))
  );
}
