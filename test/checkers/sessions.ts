/**
 * I9, P5: within a session a caller reads its own writes and never goes back in time, in whichever region it lands. The
 * records are sets to which elements are added, each once, and of which none is removed: so whatever a session was shown
 * of a record, or wrote into it, is in every later answer about that record. A refusal is an answer that shows nothing;
 * one that says the session is lost ends what it may expect (`session-lost`, "may be lost").
 */
import type { Violation } from './history.ts';

export type SessionAnswer =
  | { readonly kind: 'shown'; readonly key: string; readonly elements: readonly string[] }
  /** With what the reply to the write shows, the element among it. */
  | {
      readonly kind: 'wrote';
      readonly key: string;
      readonly element: string;
      readonly elements: readonly string[];
    };

/** In the order in which the caller was answered; a caller does one thing after the other. */
export type SessionEvent = { readonly session: string; readonly region: string; readonly atMs: number } & (
  | SessionAnswer
  | { readonly kind: 'lost' }
);

export function checkSessions(events: readonly SessionEvent[]): readonly Violation[] {
  const known = new Map<string, Map<string, ReadonlySet<string>>>();
  const found: Violation[] = [];
  for (const event of events) {
    const ofSession = known.get(event.session) ?? new Map<string, ReadonlySet<string>>();
    known.set(event.session, ofSession);
    if (event.kind === 'lost') {
      ofSession.clear();
      continue;
    }
    const expected = new Set(ofSession.get(event.key));
    if (event.kind === 'wrote') expected.add(event.element);
    const shown = new Set(event.elements);
    const missing = [...expected].filter((element) => !shown.has(element));
    if (missing.length > 0) found.push(violationOf(event, missing));
    ofSession.set(event.key, new Set([...expected, ...shown]));
  }
  return found;
}

function violationOf(
  { session, region, atMs, key }: SessionEvent & { readonly key: string },
  missing: readonly string[],
): Violation {
  const detail = `${region} shows ${session} at ${Math.round(atMs)} ms less than it has seen: ${missing.join(' ')}`;
  return { checker: 'sessions', key, detail };
}
