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

/**
 * Whether a replica alone may forget the dead record. What a delete has not seen, and only hides, counts again where it
 * is still held; and who still holds a text goes on counting its insertions.
 */
export function isForgettable(known: Knowledge): boolean {
  const isOver = ({ of }: Write) => of === 'deletion' || of === 'mark';
  return (
    ![...known.facts].some(({ kind }) => kind === 'typed') &&
    !existsIn(known) &&
    known.writes().every(isOver) &&
    known.increments().every((each) => !known.isOpen(each)) &&
    known.accounts().every((account) => isSpent(standingOf(known, account)))
  );
}

/** What an actor that has forgotten a record says when it writes above its floor: nothing of its own is left. */
export function remainsOf(known: Knowledge, actor: string): readonly Fact[] {
  const happened = [...known.facts].filter((fact) => fact.kind === 'happened' && fact.actor === actor);
  const writes = known.writes().filter((write) => write.actor === actor);
  const closed = known
    .accounts()
    .filter((account) => account.actor === actor)
    .map((account): Fact => ({ kind: 'closed', account, life: known.lifeOf(account) }));
  return [...happened, ...writes.map(gone), ...closed];
}

function isKept(known: Knowledge, write: Write): boolean {
  const isText = write.of === 'chunk' || write.of === 'remnant';
  if (isText) return known.writesAt(write.path).some((each) => each.of === 'chunk');
  // Without the deletion, hidden counters would bring the record back, and later writes could be stamped before it.
  // A removal, and what it beats, stay with the record, so that who adds or clears can say that it has seen them.
  if (write.of === 'removed' || write.of === 'added') return !known.isHidden(write);
  if (!existsIn(known)) return write === known.deletion();
  return write === known.deletion() ? hidesText(known) : isLiveWrite(known, write);
}

/** Hidden chunks of a text count again as soon as others are written beside them, so they stay, and so does what hides them. */
function hidesText(known: Knowledge): boolean {
  return known.writes().some((each) => each.of === 'chunk' && !isLiveWrite(known, each));
}
