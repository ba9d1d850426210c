/**
 * Collection in the model: once everybody knows the same, whatever shows nothing may go, but for removals. It is said with the same
 * facts as everything else, so that a replica which collected late still agrees.
 */
import { type Fact, gone, type Write } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import { accountsAt, isSpent, standingOf } from './model-rights.ts';
import { existsIn, isLiveWrite, lettersOf } from './model-view.ts';

export function collectable(known: Knowledge): readonly Fact[] {
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

function isKept(known: Knowledge, write: Write): boolean {
  // Without the deletion, hidden counters would bring the record back, and later writes could be stamped before it.
  if (!existsIn(known)) return write === known.deletion();
  // A removal stays with the record, so that who adds again can say that it has seen it.
  if (write.of === 'removed') return !known.isHidden(write);
  const isText = write.of === 'chunk' || write.of === 'remnant';
  if (isText) return known.writesAt(write.path).some((each) => each.of === 'chunk');
  return write === known.deletion() ? hidesText(known) : isLiveWrite(known, write);
}

/** Hidden chunks of a text count again as soon as others are written beside them, so they stay, and so does what hides them. */
function hidesText(known: Knowledge): boolean {
  return known.writes().some((each) => each.of === 'chunk' && !isLiveWrite(known, each));
}
