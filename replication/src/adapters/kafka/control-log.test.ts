import { expect, it } from 'vitest';
import { readAll } from './control-log.ts';

type Reader = Parameters<typeof readAll>[0];

const leader = 1;

/** Says at first that it ends at `told`, and at `held` if it is asked again. */
class Topic implements Reader {
  fetches = 0;
  readonly #ends: number[];
  readonly #held: number;
  readonly #isOutOfRange: boolean;

  constructor({ told, held, isOutOfRange = false }: { told: number; held: number; isOutOfRange?: boolean }) {
    this.#ends = [told];
    this.#held = held;
    this.#isOutOfRange = isOutOfRange;
  }

  async edge(_: number, which: 'beginning' | 'end'): Promise<bigint> {
    return which === 'beginning' ? 0n : BigInt(this.#ends.shift() ?? this.#held);
  }

  async fetch(_: number, [wanted]: Parameters<Reader['fetch']>[1]): ReturnType<Reader['fetch']> {
    expect(++this.fetches, 'it comes to an end').toBeLessThan(10);
    const offset = wanted?.offset ?? 0n;
    if (this.#isOutOfRange && offset >= this.#held) return { kind: 'out-of-range', partition: 0 };
    if (offset >= this.#held) return { kind: 'records', partitions: [], failed: [] };
    const records = [{ offset, bytes: Uint8Array.of(Number(offset)) }];
    return {
      kind: 'records',
      partitions: [{ partition: 0, next: offset + 1n, records, stampedMs: 0 }],
      failed: [],
    };
  }
}

it('reads everything up to the end', async () => {
  const held = await readAll(new Topic({ told: 3, held: 3 }), leader);
  expect(held.map(([byte]) => byte)).toEqual([0, 1, 2]);
});

it('keeps nothing of what does not count, however much anyone has written there (I12)', async () => {
  const count = 1500;
  let mostBytes = 0;
  const before = process.memoryUsage().arrayBuffers;
  const topic = {
    edge: async (_: number, which: 'beginning' | 'end') => (which === 'beginning' ? 0n : BigInt(count)),
    fetch: async (_: number, [wanted]: Parameters<Reader['fetch']>[1]): ReturnType<Reader['fetch']> => {
      mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers);
      const offset = wanted?.offset ?? 0n;
      const bytes = Buffer.from(new ArrayBuffer(1024 * 1024));
      bytes.writeUInt16BE(Number(offset));
      const found = { partition: 0, next: offset + 1n, records: [{ offset, bytes }], stampedMs: 0 };
      return { kind: 'records', partitions: [found], failed: [] };
    },
  };
  const held = await readAll(topic, leader, (bytes) => Buffer.from(bytes).readUInt16BE() === 7);
  expect(held.map((bytes) => Buffer.from(bytes).readUInt16BE())).toEqual([7]);
  expect(mostBytes - before).toBeLessThan(700 * 1024 * 1024);
});

it('reads a control topic that anyone has filled with more than a call takes arguments', async () => {
  const bytes = new Uint8Array(0);
  const records = Array.from({ length: 200_000 }, (_, offset) => ({ offset: BigInt(offset), bytes }));
  const next = BigInt(records.length);
  const full: Reader = {
    edge: async (_, which) => (which === 'beginning' ? 0n : next),
    fetch: async () => ({
      kind: 'records',
      partitions: [{ partition: 0, next, records, stampedMs: 0 }],
      failed: [],
    }),
  };
  expect((await readAll(full, leader)).length).toBe(records.length);
});

it.each([
  ['has nothing there', false],
  ['refuses the offset', true],
])('ends where the topic was cut below the end that it had told and %s (I12)', async (_, isOutOfRange) => {
  const topic = new Topic({ told: 3, held: 2, isOutOfRange });
  await expect(readAll(topic, leader)).rejects.toMatchObject({ code: 'log-unavailable', retriable: true });
  const [first, second] = await readAll(topic, leader);
  expect([first?.[0], second?.[0]]).toEqual([0, 1]);
});
