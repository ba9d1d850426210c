/**
 * Notices during a merge which registers end with several values where one of them is new. Values below the
 * stamp of a delete are hidden and do not count. Entries of the record itself come first in the order of paths,
 * so the delete is known before any field is met.
 */
import { compareRanges } from '../codec/byte-reader.ts';
import { decodeUtf8 } from '../codec/utf8.ts';
import type { EntryCursor } from './entry-cursor.ts';
import { deleteTag, registerTag } from './tags.ts';

interface Ranked {
  readonly bytes: Uint8Array;
  readonly at: number;
  /** Name and counter break ties. */
  readonly actor: { readonly bytes: Uint8Array; readonly start: number; readonly end: number };
  readonly counter: number;
}

export class ConflictWatch {
  private readonly found: string[] = [];
  private latestDelete: Ranked | null = null;
  private bytes: Uint8Array | null = null;
  private pathStart = 0;
  private pathEnd = 0;
  private siblings = 0;
  private news = false;

  survivor(entry: EntryCursor, isNew: boolean): void {
    if (entry.tag === registerTag) this.register(entry, isNew);
    else if (entry.tag === deleteTag) this.deletion(entry);
  }

  finish(): readonly string[] {
    this.close();
    return this.found;
  }

  private register(entry: EntryCursor, isNew: boolean): void {
    if (this.latestDelete !== null && compareRanked(rankOf(entry), this.latestDelete) < 0) return;
    if (!this.samePath(entry)) {
      this.close();
      this.bytes = entry.bytes;
      this.pathStart = entry.pathStart;
      this.pathEnd = entry.pathEnd;
    }
    this.siblings += 1;
    this.news ||= isNew;
  }

  private deletion(entry: EntryCursor): void {
    const rank = rankOf(entry);
    if (this.latestDelete === null || compareRanked(rank, this.latestDelete) > 0) this.latestDelete = rank;
  }

  private samePath(entry: EntryCursor): boolean {
    if (this.bytes === null) return false;
    const { bytes, pathStart, pathEnd } = this;
    return compareRanges(bytes, pathStart, pathEnd, entry.bytes, entry.pathStart, entry.pathEnd) === 0;
  }

  private close(): void {
    if (this.news && this.siblings > 1 && this.bytes !== null) {
      this.found.push(decodeUtf8(this.bytes, this.pathStart, this.pathEnd));
    }
    this.siblings = 0;
    this.news = false;
  }
}

function rankOf(entry: EntryCursor): Ranked {
  const { start, end } = entry.header.actors[entry.actor] ?? { start: 0, end: 0 };
  return {
    bytes: entry.bytes,
    at: entry.stampAt,
    actor: { bytes: entry.bytes, start, end },
    counter: entry.counter,
  };
}

function compareRanked(left: Ranked, right: Ranked): number {
  const [l, r] = [left.actor, right.actor];
  return (
    compareRanges(left.bytes, left.at, left.at + 8, right.bytes, right.at, right.at + 8) ||
    compareRanges(l.bytes, l.start, l.end, r.bytes, r.start, r.end) ||
    left.counter - right.counter
  );
}
