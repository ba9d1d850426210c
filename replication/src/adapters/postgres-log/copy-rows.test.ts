import { expect, test } from 'vitest';
import { CopyRows, maxCopyBytes } from './copy-rows.ts';

const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const trailer = Buffer.from([0xff, 0xff]);

function rowOf(...columns: readonly (string | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(columns.length);
  const parts = columns.map((column) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(column === null ? -1 : Buffer.byteLength(column, 'latin1'));
    return Buffer.concat([length, Buffer.from(column ?? '', 'latin1')]);
  });
  return Buffer.concat([count, ...parts]);
}

function read(...messages: readonly Buffer[]): unknown {
  const rows = new CopyRows();
  for (const message of messages) rows.take(message);
  return rows.rows.map((row) => row.map((column) => column?.toString('latin1') ?? null));
}

test('rows come out as they were, bytes of every value among them', () => {
  const every = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
  expect(read(Buffer.concat([header, rowOf('a', null)]), rowOf(every, ''), trailer)).toEqual([
    ['a', null],
    [every, ''],
  ]);
  expect(read(Buffer.concat([header, trailer]))).toEqual([]);
});

test('what is handed out is no view on the message', () => {
  const rows = new CopyRows();
  const message = Buffer.concat([header, rowOf('kept')]);
  rows.take(message);
  message.fill(0);
  expect(rows.rows[0]?.[0]?.toString()).toBe('kept');
});

test('an answer that has no end is left before it fills the memory, however small its rows are (I12)', () => {
  for (const row of [rowOf('x'.repeat(100_000)), rowOf(null), rowOf()]) {
    const rows = new CopyRows();
    rows.take(header);
    let taken = 0;
    const takeOn = () => {
      for (; taken <= maxCopyBytes; taken += row.length) rows.take(row);
    };
    expect(takeOn).toThrow(expect.objectContaining({ code: 'malformed-record' }));
  }
});

test.each([
  ['no header', [rowOf('a')]],
  ['a row that ends in a length', [header, rowOf('abc').subarray(0, 4)]],
  ['a row that ends in a column', [header, rowOf('abc').subarray(0, 8)]],
  ['a length below null', [header, Buffer.from([0, 1, 0xff, 0xff, 0xff, 0xfe])]],
  ['fewer columns than none', [header, Buffer.from([0xff, 0xfe])]],
])('%s is refused', (_what, messages) => {
  expect(() => read(...messages)).toThrow(expect.objectContaining({ code: 'malformed-record' }));
});
