/**
 * Collection in the model: once everybody knows the same, whatever shows nothing may go, but for removals and for what a
 * dead record hides. It is said with the same facts as everything else, so that a replica which collected late still
 * agrees.
 */
import type { Collectable } from '../record/collectable.ts';
import { type Fact, gone, type Write } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import { accountsAt, isSpent, standingOf } from './model-rights.ts';
import { existsIn, isLiveWrite, lettersOf } from './model-view.ts';

/** What compaction takes. */
export function compactedFrom(known: Knowledge): readonly Fact[] {
  const dead = known.writes().filter((write) => !isKept(known, write));
  const texts = dead.filter((write) => write.of === 'chunk' || write.of === 'remnant');
  const typed = texts.flatMap(({ path }): readonly Fact[] => {
    const after = known.typedAt(path);
    const erased = [...lettersOf(after)];
    return erased.length === 0
      ? []
      : [{ kind: 'typed', path, inserted: [], erased, between: ['', ''], after }];
  });
  const closed = known
    .accounts()
    .filter(({ path }) => accountsAt(known, path).every((each) => isSpent(standingOf(known, each))))
    .map((account): Fact => ({ kind: 'closed', account, life: known.lifeOf(account) }));
  return [...dead.map(gone), ...typed, ...closed];
}

/** A record may be dropped by one replica alone where nothing of it could count again. */
export function collectableIn(known: Knowledge): Collectable {
  if (existsIn(known)) return 'live';
  const isOver =
    known.writes().every(({ of }) => of === 'deletion' || of === 'remnant') &&
    known.increments().every((each) => !known.isOpen(each)) &&
    known.accounts().every((account) => isSpent(standingOf(known, account)));
  return isOver ? 'droppable' : 'hiding';
}

function isKept(known: Knowledge, write: Write): boolean {
  const { of, path } = write;
  const isWritten = known.writesAt(path).some((each) => each.of === 'chunk');
  if (of === 'chunk' || of === 'remnant') return isWritten;
  // Without the deletion, hidden counters would bring the record back, and later writes could be stamped before it.
  if (write === known.deletion()) return !existsIn(known) || hidesText(known);
  if (!existsIn(known)) return of !== 'deletion';
  if (of === 'client') return isWritten;
  // A removal, and what it beats, stay with the record, so that who adds or clears can say that it has seen them.
  if (of === 'removed' || of === 'added') return !known.isHidden(write);
  return isLiveWrite(known, write);
}

/** Hidden chunks of a text count again as soon as others are written beside them, so they stay, and so does what hides them. */
function hidesText(known: Knowledge): boolean {
  return known.writes().some((each) => each.of === 'chunk' && !isLiveWrite(known, each));
}
