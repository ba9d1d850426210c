/**
 * Changes that nobody can apply, each broken in one way, and the reason for which a region that finds one properly sealed has
 * to put it aside. The bytes are written out by hand, because what makes changes refuses to make these.
 */
import { ByteWriter } from '@isthmus/replication/bytes';
import type { DeadLetterCause } from '@isthmus/replication/ports/record-store';

export interface PoisonChange {
  readonly name: string;
  readonly delta: Buffer;
  readonly cause: DeadLetterCause;
  /** What its reason says beside the cause. */
  readonly detail: RegExp;
}

const largeBytes = 5_000_000;
const levels = 100_000;
const oneLevel = 0x81;
const text = 0x06;
const nothing = Buffer.of(0);
/** Format 1.0; the actor `eu` has made one write. */
const head = Buffer.from('10010265750100', 'hex');
/** Its first write, to the register `title`, with a stamp of 2023. */
const title = Buffer.from('00017469746c65f6018bcfe56800', 'hex');

/** Applies where its value is one. */
function titled(value: Buffer): Buffer {
  const size = head.length + title.length + value.length;
  const writer = new ByteWriter(size + 8);
  writer.raw(head);
  writer.varint(title.length + value.length);
  writer.raw(title);
  writer.raw(value);
  return writer.finish();
}

function longText(bytes: number): Buffer {
  const writer = new ByteWriter(bytes + 8);
  writer.u8(text);
  writer.varint(bytes);
  writer.raw(Buffer.alloc(bytes, 'x'));
  return writer.finish();
}

/** Small enough to travel with others. */
export const smallPoison: readonly PoisonChange[] = [
  {
    name: 'a value of no known type',
    delta: titled(Buffer.of(0xa0)),
    cause: 'newer-format',
    detail: /^newer-format \(value-type\)/,
  },
  {
    name: 'JSON in place of a change',
    delta: Buffer.from('{"title":NaN}'),
    cause: 'newer-format',
    detail: /^newer-format \(format-version\)/,
  },
  {
    name: 'a change cut short',
    delta: titled(Buffer.from('6869', 'hex')),
    cause: 'malformed',
    detail: /^malformed/,
  },
  {
    name: 'a number that is none',
    delta: titled(Buffer.from('037ff8000000000000', 'hex')),
    cause: 'malformed',
    detail: /^malformed \(format\)/,
  },
  {
    name: `a value ${levels} levels deep`,
    delta: titled(Buffer.concat([Buffer.alloc(levels, oneLevel), nothing])),
    cause: 'malformed',
    detail: /^malformed \(format\)/,
  },
];

/** It is sound, and of a size that no region may send. */
export const largePoison: PoisonChange = {
  name: `a change of ${largeBytes} bytes`,
  delta: titled(longText(largeBytes)),
  cause: 'too-large',
  detail: /^a change of \d+ bytes, over \d+$/,
};
