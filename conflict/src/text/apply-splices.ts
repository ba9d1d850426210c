/**
 * Splices on a document of Yjs. Asked for one splice after the other, Yjs looks for each place anew and may walk the
 * whole text for it; given all of them as one delta it walks once, so an edit costs its splices and the pieces of the
 * text, not the product of both.
 */
import type { Text } from 'yjs';
import type { Splice } from '../types/text.ts';

type Step = { readonly retain: number } | { readonly delete: number } | { readonly insert: string };

/** Ascending splices that do not overlap; their positions count in the text before all of them. */
export function applySplices(text: Text, splices: readonly Splice[]): void {
  text.applyDelta(stepsOf(splices));
}

/**
 * What comes at one place is deleted before it is inserted: Yjs puts words behind everything that is deleted there, as
 * it would if they were inserted later. Splices that touch make one place, so that the words of the first of them do
 * not come to stand among what the second deletes.
 */
function stepsOf(splices: readonly Splice[]): Step[] {
  const steps: Step[] = [];
  let end = 0;
  for (const { at, end: next, insert } of placesOf(splices)) {
    if (at > end) steps.push({ retain: at - end });
    if (next > at) steps.push({ delete: next - at });
    if (insert !== '') steps.push({ insert });
    end = next;
  }
  return steps;
}

function placesOf(splices: readonly Splice[]): readonly Place[] {
  const places: Place[] = [];
  for (const { at, delete: count = 0, insert = '' } of splices) {
    const last = places.at(-1);
    if (last?.end === at) {
      last.end += count;
      last.insert += insert;
    } else {
      places.push({ at, end: at + count, insert });
    }
  }
  return places;
}

interface Place {
  readonly at: number;
  end: number;
  insert: string;
}
