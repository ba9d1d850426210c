/**
 * Walks the entries of a state or delta in order, one at a time, without making objects of them. Each entry is
 *   path length, path, tag, actor index, counter, [stamp], payload length, payload
 * and entries ascend strictly by (path, tag, actor, counter). The cursor checks order, bounds, and that the
 * context covers every dot; what a payload means is not its business.
 */
import { covers } from '../causal/seen.ts';
import { stampBytes } from '../clock/stamp.ts';
import { ByteReader, compareRanges } from '../codec/byte-reader.ts';
import type { ByteWriter } from '../codec/byte-writer.ts';
import { malformed } from '../errors.ts';
import type { Header } from './header.ts';
import { stampedBit } from './tags.ts';

export class EntryCursor {
  readonly bytes: Uint8Array;
  readonly header: Header;
  private readonly reader: ByteReader;
  start = 0;
  end = 0;
  pathStart = 0;
  pathEnd = 0;
  tag = -1;
  /** Index in the own header. */
  actor = 0;
  counter = 0;
  /** Where the stamp begins, or where it would. */
  stampAt = 0;
  payloadStart = 0;

  constructor(header: Header) {
    this.header = header;
    this.bytes = header.bytes;
    this.reader = new ByteReader(header.bytes, header.entriesAt);
  }

  /** Moves to the next entry; false at the end. */
  next(): boolean {
    const { reader } = this;
    if (reader.at >= this.bytes.length) return false;
    const { pathStart, pathEnd, tag, actor, counter } = this;
    this.start = reader.at;
    const pathBytes = reader.integer();
    this.pathStart = reader.skip(pathBytes);
    this.pathEnd = reader.at;
    this.tag = reader.byte();
    this.actor = reader.integer();
    this.counter = reader.integer();
    this.stampAt = reader.at;
    if (this.stamped) reader.skip(stampBytes);
    const payloadBytes = reader.integer();
    this.payloadStart = reader.skip(payloadBytes);
    this.end = reader.at;
    this.checkDot();
    if (tag >= 0) this.checkOrder(pathStart, pathEnd, tag, actor, counter);
    return true;
  }

  get stamped(): boolean {
    return (this.tag & stampedBit) !== 0;
  }

  /** Copies this entry, its actor standing at `index` in the result. */
  write(writer: ByteWriter, index: number): void {
    this.writeKey(writer, index);
    writer.range(this.bytes, this.stampAt, this.end);
  }

  /** The entry up to where its stamp or payload begins. */
  writeKey(writer: ByteWriter, index: number): void {
    writer.range(this.bytes, this.start, this.pathEnd);
    writer.byte(this.tag);
    writer.integer(index);
    writer.integer(this.counter);
  }

  private checkDot(): void {
    const seen = this.header.actors[this.actor];
    if (seen === undefined) throw malformed('an entry of an actor that is not listed', this.start);
    if (this.counter === 0 || !covers(seen, this.counter)) {
      throw malformed('a dot outside the context', this.start);
    }
  }

  private checkOrder(pathStart: number, pathEnd: number, tag: number, actor: number, counter: number): void {
    const order =
      compareRanges(this.bytes, pathStart, pathEnd, this.bytes, this.pathStart, this.pathEnd) ||
      tag - this.tag ||
      actor - this.actor ||
      counter - this.counter;
    if (order >= 0) throw malformed('entries are not in order', this.start);
  }
}
