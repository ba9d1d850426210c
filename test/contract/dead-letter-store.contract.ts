/**
 * What every `DeadLetterStore` must do: find letters by place and by stamp, and try one again in a transaction that
 * closes it together with what it wrote. States here are plain texts and a merge is an append.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { droppedAtOnce, keptClosedCount, keptClosedMs, openLimits } from '@isthmus/replication/letter-limits';
import type {
  DeadLetterStore,
  DecideRetry,
  RetryDecision,
  RetryOutcome,
} from '@isthmus/replication/ports/dead-letter-store';
import type { ApplyOutcome, DeadLetter, RecordStore } from '@isthmus/replication/ports/record-store';
import { append, bytes, record, region, text } from './record-store.contract.ts';

export interface OpenDeadLetterStore {
  readonly letters: DeadLetterStore;
  readonly records: RecordStore;
  /** Makes letters that are closed look as if they had been so much earlier. */
  readonly age: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

const origin = region('us');
const incarnation = { counter: 1, nonce: 7 };
const place = { origin, incarnation, partition: 0, index: 0 };

function letter(lsn: bigint, stampMs: number | null = null): DeadLetter {
  const cause = stampMs === null ? 'malformed' : 'clock-too-far-ahead';
  const delta = bytes(`d${lsn}`);
  return { ...record('a'), partition: 0, lsn, index: 0, delta, cause, detail: 'because', stampMs };
}

/** With its name it takes so much. */
function ofBytes(small: DeadLetter, size: number): DeadLetter {
  const nameBytes = Buffer.byteLength(small.collection) + Buffer.byteLength(small.key);
  return { ...small, delta: new Uint8Array(size - nameBytes) };
}

/** Appends the delta, as a merge would. */
function appendDelta(state: Uint8Array, delta: Uint8Array): RetryDecision {
  return { kind: 'apply', state: Buffer.concat([state, delta]), conflicts: 0 };
}

export function deadLetterStoreContract(name: string, open: () => Promise<OpenDeadLetterStore>): void {
  describe(`DeadLetterStore: ${name}`, () => {
    let opened: OpenDeadLetterStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    /** The position stands at 30 and these were put aside on the way. */
    async function putAside(...letters: readonly DeadLetter[]): Promise<void> {
      const row = { origin, incarnation, partition: 0, applied: 0n, settled: 0n, beat: null, nextOffset: 0n };
      await opened.records.createPosition(row);
      await opened.records.applyRemote({
        origin,
        positions: [{ incarnation, partition: 0, expected: 0n, applied: 30n, beat: null, nextOffset: 0n }],
        ids: [record('a')],
        decide: () => ({ writes: [], deadLetters: letters }),
      });
    }

    /** The position moves on by ten. */
    async function putMore(...letters: readonly DeadLetter[]): Promise<ApplyOutcome> {
      const row = { origin, incarnation, partition: 0, applied: 0n, settled: 0n, beat: null, nextOffset: 0n };
      await opened.records.createPosition(row);
      const expected = (await opened.records.positions(origin))[0]?.applied ?? 0n;
      const move = {
        incarnation,
        partition: 0,
        expected,
        applied: expected + 10n,
        beat: null,
        nextOffset: 0n,
      };
      const writes = letters.length === 0 ? [] : [{ index: 0, state: bytes('written') }];
      const decide = () => ({ writes, deadLetters: letters });
      return opened.records.applyRemote({ origin, positions: [move], ids: [record('w')], decide });
    }

    async function retry(lsn: bigint, decide: DecideRetry): Promise<RetryOutcome | undefined> {
      const [outcome] = await opened.letters.retry([{ ...place, lsn }], decide);
      return outcome;
    }

    async function settledAt(): Promise<bigint | undefined> {
      return (await opened.records.positions(origin))[0]?.settled;
    }

    it('lists open letters page by page in order of place', async () => {
      await putAside(letter(15n), letter(11n), letter(13n, 5_000));
      const first = await opened.letters.list({ after: null, limit: 2 });
      expect(first.map(({ lsn, cause }) => [lsn, cause])).toEqual([
        [11n, 'malformed'],
        [13n, 'clock-too-far-ahead'],
      ]);
      expect(first[1]).toMatchObject({ ...record('a'), ...place, byteCount: 3, stampMs: 5_000 });
      const rest = await opened.letters.list({ after: first[1] ?? null, limit: 2 });
      expect(rest.map(({ lsn }) => lsn)).toEqual([15n]);
    });

    it('says which are due by their stamps, lowest first', async () => {
      await putAside(letter(11n, 9_000), letter(12n), letter(13n, 7_000), letter(14n, 8_000));
      const due = async (stampMs: number, limit = 10) =>
        (await opened.letters.due(stampMs, limit)).map(({ lsn }) => lsn);
      expect(await due(6_999)).toEqual([]);
      expect(await due(8_000.5)).toEqual([13n, 14n]);
      expect(await due(10_000, 2)).toEqual([13n, 14n]);
    });

    it('applies one, closes it and settles as far as the others allow (P4)', async () => {
      await putAside(letter(11n), letter(13n));
      await opened.records.commitLocal(append([record('a')], 'x'));
      expect(await settledAt()).toBe(10n);
      expect(await retry(11n, appendDelta)).toBe('applied');
      expect(await settledAt()).toBe(12n);
      expect(await retry(13n, appendDelta)).toBe('applied');
      expect(await settledAt()).toBe(30n);
      expect(text(await opened.records.read(record('a')))).toBe('xd11d13');
      expect(await opened.records.countDeadLetters()).toEqual([]);
    });

    it('takes the beat along as far as the others allow, though more have come meanwhile (P7)', async () => {
      const beatOf = (number: number) => ({
        number,
        lsn: BigInt(10 * number),
        atMs: 1000 * number,
        count: number,
        end: BigInt(10 * number),
      });
      const row = { origin, incarnation, partition: 0, applied: 0n, settled: 0n, beat: null, nextOffset: 0n };
      await opened.records.createPosition(row);
      const arrive = async (number: number, ...letters: readonly DeadLetter[]): Promise<void> => {
        const end = BigInt(10 * number);
        const move = { incarnation, partition: 0, expected: end - 10n, applied: end, nextOffset: 0n };
        await opened.records.applyRemote({
          origin,
          positions: [{ ...move, beat: beatOf(number) }],
          ids: [record('a')],
          decide: () => ({ writes: [], deadLetters: letters }),
        });
      };
      const beat = async () => (await opened.records.positions(origin))[0]?.beat?.number;
      await arrive(1);
      await arrive(2, letter(15n));
      await arrive(3);
      await arrive(4, letter(35n), letter(36n));
      await arrive(5);
      expect(await beat()).toBe(1);
      await retry(35n, appendDelta);
      expect(await beat()).toBe(1);
      await retry(15n, appendDelta);
      expect(await settledAt()).toBe(35n);
      expect(await beat()).toBe(3);
      await retry(36n, appendDelta);
      expect(await settledAt()).toBe(50n);
      expect(await beat()).toBe(5);
      await arrive(6);
      expect(await beat()).toBe(6);
    });

    it('applies one only once, also when tried twice at the same time', async () => {
      await putAside(letter(11n));
      const tries = [1, 2, 3].map(() => retry(11n, appendDelta));
      expect((await Promise.all(tries)).map(String).toSorted()).toEqual(['applied', 'gone', 'gone']);
      expect(text(await opened.records.read(record('a')))).toBe('d11');
    });

    it('keeps one with its new reason, and it is due no more', async () => {
      await putAside(letter(11n, 5_000));
      const keep = { kind: 'keep', cause: 'malformed', detail: 'no delta', stampMs: null } as const;
      expect(await retry(11n, () => keep)).toBe('kept');
      expect(await opened.letters.due(9_000, 10)).toEqual([]);
      const [kept] = await opened.letters.list({ after: null, limit: 10 });
      expect(kept).toMatchObject({ cause: 'malformed', detail: 'no delta', stampMs: null });
      expect(await settledAt()).toBe(10n);
      expect(await opened.records.read(record('a'))).toBeNull();
    });

    it('leaves everything as it is where so decided, and where the decision throws', async () => {
      await putAside(letter(11n, 5_000));
      expect(await retry(11n, () => ({ kind: 'leave' }))).toBe('left');
      const thrown = new TypeError('a bug');
      const failing = retry(11n, () => {
        throw thrown;
      });
      await expect(failing).rejects.toBe(thrown);
      expect(await opened.letters.due(9_000, 10)).toHaveLength(1);
      expect(await opened.records.read(record('a'))).toBeNull();
    });

    it('leaves one aside whose name no record may have', async () => {
      await putAside({ ...letter(11n), key: 'k'.repeat(600) });
      expect(await retry(11n, appendDelta)).toBe('unnameable');
      expect(await settledAt()).toBe(10n);
    });

    it('holds `settled` on at one that was given up, and keeps what was said first (P4)', async () => {
      await putAside(letter(11n), letter(13n));
      const [first] = await opened.letters.list({ after: null, limit: 1 });
      expect(first?.givenUp).toBeNull();
      for (const reason of ['a bug', 'said again'])
        expect(await opened.letters.giveUp({ ...place, lsn: 11n }, { reason, isLossAccepted: false })).toBe(
          'waiting',
        );
      const [waiting] = await opened.letters.list({ after: null, limit: 1 });
      expect(waiting).toMatchObject({ lsn: 11n, givenUp: { reason: 'a bug' } });
      expect(await opened.letters.fates()).toEqual([{ origin, fate: 'waiting', count: 1 }]);
      expect(await settledAt()).toBe(10n);
    });

    it('closes one at once where the loss is taken, and settles as far as the others allow (P4)', async () => {
      await putAside(letter(11n), letter(13n));
      const lose = { reason: 'nobody has it', isLossAccepted: true };
      await opened.letters.giveUp({ ...place, lsn: 11n }, { ...lose, isLossAccepted: false });
      expect(await opened.letters.giveUp({ ...place, lsn: 11n }, lose)).toBe('lost');
      expect(await settledAt()).toBe(12n);
      expect(await opened.letters.giveUp({ ...place, lsn: 13n }, lose)).toBe('lost');
      expect(await settledAt()).toBe(30n);
      expect(await opened.letters.fates()).toEqual([{ origin, fate: 'lost', count: 2 }]);
      expect(await opened.letters.list({ after: null, limit: 9 })).toEqual([]);
      expect(await opened.records.read(record('a'))).toBeNull();
    });

    it('counts none that could be applied after all', async () => {
      await putAside(letter(11n));
      await opened.letters.giveUp({ ...place, lsn: 11n }, { reason: 'x', isLossAccepted: false });
      expect(await retry(11n, appendDelta)).toBe('applied');
      expect(await opened.letters.fates()).toEqual([]);
    });

    it('tries many of a partition in one transaction, each after what those before it have left (P4)', async () => {
      const of = (lsn: bigint, key: string) => ({ ...letter(lsn, 5_000), ...record(key) });
      await putAside(of(11n, 'a'), of(12n, 'b'), of(13n, 'a'), of(14n, 'k'.repeat(600)), of(15n, 'c'));
      const seen: string[] = [];
      const decide: DecideRetry = (state, delta) => {
        seen.push(`${text(state)}+${text(delta)}`);
        const keep = { kind: 'keep', cause: 'malformed', detail: 'no delta', stampMs: null } as const;
        if (text(delta) === 'd12') return keep;
        return text(delta) === 'd15' ? { kind: 'leave' } : appendDelta(state, delta);
      };
      const places = [11n, 12n, 13n, 14n, 15n, 16n].map((lsn) => ({ ...place, lsn }));
      const outcomes = await opened.letters.retry(places, decide);
      expect(outcomes).toEqual(['applied', 'kept', 'applied', 'unnameable', 'left', 'gone']);
      expect(seen).toEqual(['+d11', '+d12', 'd11+d13', '+d15']);
      expect(text(await opened.records.read(record('a')))).toBe('d11d13');
      for (const key of ['b', 'c']) expect(await opened.records.read(record(key))).toBeNull();
      const left = await opened.letters.list({ after: null, limit: 10 });
      expect(left.map(({ lsn, cause }) => [lsn, cause])).toEqual([
        [12n, 'malformed'],
        [14n, 'clock-too-far-ahead'],
        [15n, 'clock-too-far-ahead'],
      ]);
      expect(await settledAt()).toBe(11n);
      expect(await opened.letters.retry([], decide)).toEqual([]);
    });

    it('leaves all of them as they are where one decision throws', async () => {
      await putAside(letter(11n, 5_000), letter(13n, 5_000));
      const thrown = new TypeError('a bug');
      const places = [11n, 13n].map((lsn) => ({ ...place, lsn }));
      const trying = opened.letters.retry(places, (state, delta) => {
        if (text(delta) === 'd13') throw thrown;
        return appendDelta(state, delta);
      });
      await expect(trying).rejects.toBe(thrown);
      expect(await opened.records.read(record('a'))).toBeNull();
      expect(await opened.letters.due(9_000, 10)).toHaveLength(2);
    });

    const chunk = 500;

    /** In transactions of such a size as an applier makes. */
    async function putMany(count: number): Promise<void> {
      for (let first = 0; first < count; first += chunk) {
        const indices = Array.from({ length: Math.min(chunk, count - first) }, (_, index) => first + index);
        expect(await putMore(...indices.map((index) => ({ ...letter(11n), index })))).toBe('applied');
      }
    }

    async function closeMany(count: number): Promise<void> {
      await putMany(count);
      for (let first = 0; first < count; first += chunk) {
        const length = Math.min(chunk, count - first);
        const places = Array.from({ length }, (_, index) => ({ ...place, lsn: 11n, index: first + index }));
        await opened.letters.retry(places, () => ({ kind: 'apply', state: bytes('s'), conflicts: 0 }));
      }
    }

    it('drops closed ones after their time, step by step, and never an open one (I12)', async () => {
      const count = droppedAtOnce + 3;
      await closeMany(count);
      await putMore(letter(31n));
      await opened.letters.giveUp({ ...place, lsn: 31n }, { reason: 'x', isLossAccepted: true });
      await putMore(letter(41n));
      expect([await opened.letters.countClosed(), await opened.letters.prune()]).toEqual([count + 1, 0]);
      await opened.age(keptClosedMs - 60_000);
      expect(await opened.letters.prune()).toBe(0);
      await opened.age(120_000);
      expect(await opened.letters.prune()).toBe(droppedAtOnce);
      expect(await opened.letters.prune()).toBe(4);
      expect([await opened.letters.countClosed(), await opened.letters.fates()]).toEqual([0, []]);
      expect(await opened.letters.list({ after: null, limit: 9 })).toMatchObject([{ lsn: 41n }]);
    });

    it('drops the oldest closed ones where too many are newer (I12)', async () => {
      await putMore(letter(1n));
      await opened.letters.giveUp({ ...place, lsn: 1n }, { reason: 'oldest', isLossAccepted: true });
      await closeMany(keptClosedCount);
      expect(await opened.letters.countClosed()).toBe(keptClosedCount + 1);
      expect(await opened.letters.prune()).toBe(1);
      expect(await opened.letters.fates()).toEqual([]);
      expect(await opened.letters.prune()).toBe(0);
    });

    it('stores all of a commit together, however many they are (P4, I12)', async () => {
      const count = 11_000;
      await putAside(...Array.from({ length: count }, (_, index) => ({ ...letter(12n), index })));
      expect(await opened.records.countDeadLetters()).toMatchObject([{ count, cause: 'malformed' }]);
      expect(await settledAt()).toBe(11n);
    });

    it('takes no more than there is room for, and then lets the partition wait (I12)', async () => {
      const count = openLimits.bytes / 2 ** 20;
      for (let index = 0; index < count; index++)
        expect(await putMore(ofBytes({ ...letter(11n), index }, 2 ** 20))).toBe('applied');
      const before = await opened.records.positions(origin);
      expect(await putMore(letter(12n))).toBe('full');
      expect(await opened.records.positions(origin)).toEqual(before);
      expect(await opened.records.countDeadLetters()).toMatchObject([{ count, bytes: openLimits.bytes }]);
      expect(await putMore()).toBe('applied');
      await opened.letters.giveUp({ ...place, lsn: 11n }, { reason: 'x', isLossAccepted: true });
      expect(await putMore(letter(12n))).toBe('applied');
    });

    it('counts what names take: who sends hardly anything else fills the room as well (I12)', async () => {
      const count = openLimits.bytes / 2 ** 22;
      const long = { collection: 'c'.repeat(2 ** 21), key: 'ä'.repeat(2 ** 20 - 2), delta: bytes('abcd') };
      for (let index = 0; index < count; index++)
        expect(await putMore({ ...letter(11n), index, ...long })).toBe('applied');
      expect(await putMore(letter(12n))).toBe('full');
      expect(await opened.records.countDeadLetters()).toMatchObject([{ count, bytes: openLimits.bytes }]);
    });

    it('counts the room of each origin by itself (I12)', async () => {
      await putMany(openLimits.count);
      expect(await putMore(letter(12n))).toBe('full');
      const other = { origin: region('ap'), incarnation, partition: 0 };
      await opened.records.createPosition({ ...other, applied: 0n, settled: 0n, beat: null, nextOffset: 0n });
      const move = { incarnation, partition: 0, expected: 0n, applied: 30n, beat: null, nextOffset: 0n };
      const decide = () => ({ writes: [], deadLetters: [letter(12n)] });
      const transaction = { origin: other.origin, positions: [move], ids: [], decide };
      expect(await opened.records.applyRemote(transaction)).toBe('applied');
    });

    it('knows nothing of a place without a letter', async () => {
      await putAside();
      const how = { reason: 'x', isLossAccepted: true };
      expect(await opened.letters.giveUp({ ...place, lsn: 11n }, how)).toBe('gone');
      expect(await retry(11n, appendDelta)).toBe('gone');
    });
  });
}
