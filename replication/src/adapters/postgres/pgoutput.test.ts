import { expect, test } from 'vitest';
import { TransactionReader, maxTransactionBytes, readFrame, writeStatus } from './pgoutput.ts';
import { encodeChanges } from './wal-message.ts';

const change = { collection: 'things', key: 'a/1', delta: Uint8Array.of(1, 2, 3) };

function logical(prefix: string, content: Uint8Array, flags = 1): Buffer {
  const head = Buffer.alloc(10);
  head.write('M');
  head[1] = flags;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([head, Buffer.from(`${prefix}\0`), length, content]);
}

function commitAt(end: bigint): Buffer {
  const message = Buffer.alloc(26);
  message.write('C');
  message.writeBigUInt64BE(end - 1n, 2);
  message.writeBigUInt64BE(end, 10);
  return message;
}

test('a transaction of ours comes with the end of its commit, and the next one begins empty', () => {
  const reader = new TransactionReader();
  expect(reader.take(Buffer.from('B...'))).toBeNull();
  expect(reader.take(logical('isthmus.changes', encodeChanges([change])))).toBeNull();
  expect(reader.take(logical('isthmus.beat', Buffer.from('1 5 0/10 1700.5')))).toBeNull();
  expect(reader.take(commitAt(99n))?.commit).toEqual({
    end: 99n,
    changes: [change],
    beats: [{ number: 5, lsn: 16n, atMs: 1700.5 }],
  });
  expect(reader.take(commitAt(100n))).toBeNull();
});

test('what is handed out does not change when the buffer does', () => {
  const reader = new TransactionReader();
  const message = logical('isthmus.changes', encodeChanges([change]));
  reader.take(message);
  message.fill(0xff);
  expect(reader.take(commitAt(1n))?.commit.changes).toEqual([change]);
});

test('foreign prefixes, messages outside transactions and row changes are passed over', () => {
  const reader = new TransactionReader();
  reader.take(logical('isthmus.changes.other', Buffer.of(1)));
  reader.take(logical('isthmus.changes', Buffer.of(99), 0));
  reader.take(Buffer.from('I some row'));
  expect(reader.take(commitAt(1n))).toBeNull();
});

test('what cannot be read is an error', () => {
  const reader = new TransactionReader();
  const whole = logical('isthmus.changes', encodeChanges([change]));
  expect(() => reader.take(logical('isthmus.changes', Buffer.of()))).toThrow(/bytes wanted/);
  expect(() => reader.take(logical('isthmus.beat', Buffer.from('2 5 0/10 1')))).toThrow(/beat message/);
  expect(() => reader.take(whole.subarray(0, -1))).toThrow(/of \d+ bytes/);
  expect(() => reader.take(whole.subarray(0, 12))).toThrow(/cut short/);
  expect(() => reader.take(Buffer.from('C'))).toThrow(/Commit message/);
  expect(() => readFrame(Buffer.of())).toThrow(/frame/);
  expect(() => readFrame(Buffer.alloc(24, 'w'))).toThrow(/frame/);
  expect(() => readFrame(Buffer.alloc(17, 'k'))).toThrow(/frame/);
});

test('I12: a transaction without end is refused', () => {
  const reader = new TransactionReader();
  const message = logical('isthmus.changes', encodeChanges([{ ...change, delta: new Uint8Array(1 << 20) }]));
  const takeAll = (): void => {
    for (let sizeBytes = 0; sizeBytes <= maxTransactionBytes; sizeBytes += message.length)
      reader.take(message);
  };
  expect(takeAll).toThrow(expect.objectContaining({ code: 'transaction-too-large', retriable: false }));
});

test('frames are read to the byte', () => {
  const data = Buffer.alloc(28);
  data.write('w');
  data.writeBigUInt64BE(7n, 1);
  data.writeBigUInt64BE(9n, 9);
  data.write('MSG', 25);
  expect(readFrame(data)).toEqual({ kind: 'data', end: 9n, message: Buffer.from('MSG') });
  const keepalive = Buffer.alloc(18);
  keepalive.write('k');
  keepalive.writeBigUInt64BE(11n, 1);
  expect(readFrame(keepalive)).toEqual({ kind: 'keepalive', end: 11n, replyRequested: false });
  keepalive[17] = 1;
  expect(readFrame(keepalive)).toMatchObject({ replyRequested: true });
});

test('P2: a status tells what has arrived as written, and only what is confirmed as flushed', () => {
  const status = writeStatus({ write: 9n, flush: 5n, replyRequested: true, nowMs: 946_684_801_000 });
  expect(status).toHaveLength(34);
  expect(String.fromCharCode(status[0] ?? 0)).toBe('r');
  expect([1, 9, 17].map((offset) => status.readBigUInt64BE(offset))).toEqual([9n, 5n, 5n]);
  expect(status.readBigInt64BE(25)).toBe(1_000_000n);
  expect(status[33]).toBe(1);
});
