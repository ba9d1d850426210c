/**
 * What is too much for one statement goes in several of one transaction. The limit of time is one of each statement, and
 * what the server or the network needs for the bytes counts into it, so a transaction ends whatever it carries.
 */
import { maxStatementBytes } from '../../transaction-limits.ts';
import type { Call, Session } from './session.ts';

/** Parts in the order of the items, at least one item in each. */
export function inParts<T>(items: readonly T[], bytesOf: (item: T) => number): readonly (readonly T[])[] {
  const parts: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    const part = parts.at(-1);
    if (part === undefined || bytes + size > maxStatementBytes) {
      parts.push([item]);
      bytes = size;
    } else {
      part.push(item);
      bytes += size;
    }
  }
  return parts;
}

/**
 * All but the last, each in a round trip of its own, because an answer is awaited for no longer than one statement may
 * take. The last one goes with what comes after it.
 */
export async function sendAllButLast(session: Session, parts: readonly Call[]): Promise<readonly Call[]> {
  for (const part of parts.slice(0, -1)) await session.query(...part);
  return parts.slice(-1);
}
