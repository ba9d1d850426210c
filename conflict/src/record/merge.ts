/**
 * The one join. Contexts unite; an entry on both sides stays; an entry on one side stays unless the other
 * side's context has seen its dot, for then it was overwritten or deleted there. It knows no schema and no
 * limits, keeps kinds of entries it has never heard of, and loses nothing that was not seen: commutative,
 * associative, idempotent, and the very same reference when nothing changed. One forward walk over both sides
 * copies unchanged runs of bytes whole.
 * Source: Almeida, Shoker, Baquero, "Delta state replicated data types" (2018).
 */
import type { Seen } from '../causal/seen.ts';
import { covers } from '../causal/seen.ts';
import { compareRanges } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { ConflictWatch } from './conflict-watch.ts';
import { EntryCursor } from './entry-cursor.ts';
import type { JoinedHeader } from './header.ts';
import { joinHeaders, readHeader, writeHeader } from './header.ts';
import { registerTag, vectorBit } from './tags.ts';
import { encodeVector, joinVectors, readVector } from './vector.ts';

export interface MergeResult {
  /** `state` itself when nothing changed. */
  readonly state: Uint8Array;
  readonly changed: boolean;
  /** Registers that hold concurrent values, one of which this merge brought. */
  readonly conflicts: readonly string[];
}

const noConflicts: readonly string[] = [];
const sharedCapacityBytes = 64 * 1024;
const sharedWriter = new ByteWriter(sharedCapacityBytes);

export function merge(state: Uint8Array, delta: Uint8Array): MergeResult {
  if (delta.length === 0 || delta === state) return { state, changed: false, conflicts: noConflicts };
  return new Join(state, delta).run();
}

class Join {
  private readonly header: JoinedHeader;
  private readonly ours: EntryCursor;
  private readonly theirs: EntryCursor;
  private readonly writer: ByteWriter;
  private readonly watch = new ConflictWatch();
  private changed: boolean;
  /** The run of our bytes that is kept but not yet copied; -1: none. */
  private runStart = -1;
  private runEnd = 0;

  constructor(state: Uint8Array, delta: Uint8Array) {
    const [ours, theirs] = [readHeader(state), readHeader(delta)];
    this.header = joinHeaders(ours, theirs);
    this.ours = new EntryCursor(ours);
    this.theirs = new EntryCursor(theirs);
    const capacity = state.length + delta.length;
    this.writer = capacity < sharedCapacityBytes / 2 ? sharedWriter : new ByteWriter(capacity * 2);
    this.writer.clear();
    this.changed = this.header.grown;
    if (this.changed) {
      writeHeader(this.writer, this.header.version, this.header.actors);
    } else {
      this.runStart = 0;
      this.runEnd = ours.entriesAt;
    }
  }

  run(): MergeResult {
    const { ours, theirs } = this;
    let moreOurs = ours.next();
    let moreTheirs = theirs.next();
    while (moreOurs || moreTheirs) {
      const order = moreOurs ? (moreTheirs ? this.compare() : -1) : 1;
      if (order < 0) this.takeOurs();
      else if (order > 0) this.takeTheirs();
      else this.takeBoth();
      if (order <= 0) moreOurs = ours.next();
      if (order >= 0) moreTheirs = theirs.next();
    }
    const conflicts = this.watch.finish();
    if (!this.changed) return { state: ours.bytes, changed: false, conflicts };
    this.flush();
    return { state: this.writer.finish(), changed: true, conflicts };
  }

  private compare(): number {
    const { ours, theirs, header } = this;
    return (
      compareRanges(
        ours.bytes,
        ours.pathStart,
        ours.pathEnd,
        theirs.bytes,
        theirs.pathStart,
        theirs.pathEnd,
      ) ||
      ours.tag - theirs.tag ||
      (header.ourIndex[ours.actor] ?? 0) - (header.theirIndex[theirs.actor] ?? 0) ||
      ours.counter - theirs.counter
    );
  }

  private takeOurs(): void {
    const { ours, header } = this;
    if (seenBy(header.ourActorsInTheirs[ours.actor], ours.counter)) {
      this.changed = true;
      this.flush();
      return;
    }
    this.keepOurs();
  }

  private keepOurs(): void {
    const { ours, header } = this;
    this.watch.survivor(ours, false);
    if (!header.indicesKept) {
      ours.write(this.writer, header.ourIndex[ours.actor] ?? 0);
      return;
    }
    if (this.runStart < 0) this.runStart = ours.start;
    this.runEnd = ours.end;
  }

  private takeTheirs(): void {
    const { theirs, header } = this;
    if (seenBy(header.theirActorsInOurs[theirs.actor], theirs.counter)) return;
    this.watch.survivor(theirs, theirs.tag === registerTag);
    this.changed = true;
    this.flush();
    theirs.write(this.writer, header.theirIndex[theirs.actor] ?? 0);
  }

  /** The same dot on both sides: the same content, but for vectors, which may have grown on either. */
  private takeBoth(): void {
    const { ours, theirs } = this;
    const order = compareRanges(ours.bytes, ours.stampAt, ours.end, theirs.bytes, theirs.stampAt, theirs.end);
    if (order === 0) {
      this.keepOurs();
      return;
    }
    if ((ours.tag & vectorBit) !== 0) {
      this.joinGrown();
    } else if (order > 0) {
      // One dot with two contents breaks the rules; all still agree on which to keep.
      this.keepOurs();
    } else {
      this.replaceOurs(() => this.writer.range(theirs.bytes, theirs.stampAt, theirs.end));
    }
  }

  private joinGrown(): void {
    const { ours, theirs, writer } = this;
    const later = compareStampRanges(ours, theirs) >= 0 ? ours : theirs;
    const ourVector = readVector(ours.bytes, ours.payloadStart, ours.end);
    const theirVector = readVector(theirs.bytes, theirs.payloadStart, theirs.end);
    const joined = joinVectors(ourVector, theirVector);
    if (later === ours && joined.length === ourVector.length && joined.every((n, i) => n === ourVector[i])) {
      this.keepOurs();
      return;
    }
    this.replaceOurs(() => {
      writer.range(later.bytes, later.stampAt, stampEnd(later));
      writer.block(encodeVector(joined));
    });
  }

  private replaceOurs(writeRest: () => void): void {
    this.watch.survivor(this.ours, false);
    this.changed = true;
    this.flush();
    this.ours.writeKey(this.writer, this.header.ourIndex[this.ours.actor] ?? 0);
    writeRest();
  }

  private flush(): void {
    if (this.runStart >= 0) this.writer.range(this.ours.bytes, this.runStart, this.runEnd);
    this.runStart = -1;
  }
}

function seenBy(seen: Seen | null | undefined, counter: number): boolean {
  return seen !== null && seen !== undefined && covers(seen, counter);
}

function compareStampRanges(left: EntryCursor, right: EntryCursor): number {
  return compareRanges(left.bytes, left.stampAt, stampEnd(left), right.bytes, right.stampAt, stampEnd(right));
}

function stampEnd(entry: EntryCursor): number {
  return entry.stamped ? entry.stampAt + 8 : entry.stampAt;
}
