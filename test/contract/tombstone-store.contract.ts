/** What every `TombstoneStore` must do, with real states of the conflict library: who is dead is what it goes by. */
import { register, schema } from '@isthmus/conflict';
import type { RecordId } from '@isthmus/replication/ports/change';
import { beginning } from '@isthmus/replication/ports/record-reader';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { TombstoneStore, Verdict } from '@isthmus/replication/ports/tombstone-store';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { record, region } from './record-store.contract.ts';

export interface OpenTombstoneStore {
  readonly tombstones: TombstoneStore;
  readonly records: RecordStore;
  readonly transfers: Pick<TransferStore, 'standing' | 'merge'>;
  readonly close: () => Promise<void>;
}

const Product = schema({ title: register() }, { deletes: 'last-writer-wins' });
type Edit = Parameters<(typeof Product)['edit']>[2];

export const creation: Edit = (editor) => editor.set('title', 'x');
export const deletion: Edit = (editor) => editor.delete();

/** Writes one record as a caller would, at the given time. */
export async function write(records: RecordStore, id: RecordId, edit: Edit, now = 1000): Promise<void> {
  await records.commitLocal({
    ids: [id],
    decide: ({ states: [before = new Uint8Array(0)], floor, floorMs }) => {
      const edited = Product.edit(before, { actor: 'eu.1.00000007', floor, floorMs, now }, edit);
      return edited.changed ? [{ index: 0, state: edited.state, delta: edited.delta }] : [];
    },
  });
}

export const drop = { kind: 'drop', ownCounter: 9, stampMs: 5000 } as const;
const us = { region: region('us'), incarnation: { counter: 1, nonce: 7 }, partition: 0 };

export function tombstoneStoreContract(name: string, open: () => Promise<OpenTombstoneStore>): void {
  describe(`TombstoneStore: ${name}`, () => {
    let opened: OpenTombstoneStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const store = (): TombstoneStore => opened.tombstones;
    const dead = async (through: number, after = beginning, limit = 10): Promise<readonly string[]> =>
      (await store().dead({ after, through, limit })).map(({ key }) => key);
    const make = async (key: string): Promise<void> => {
      await write(opened.records, record(key), creation);
      await write(opened.records, record(key), deletion);
    };

    it('opens a barrier with the close of a generation, once', async () => {
      expect(await store().barrier()).toMatchObject({ completed: 0, open: null, openedAtMs: null });
      await store().close(1);
      await store().close(1);
      const { open: number, openedAtMs, readAtMs } = await store().barrier();
      expect(number).toBe(1);
      expect(readAtMs - (openedAtMs ?? 0)).toBeGreaterThanOrEqual(0);
      expect(await store().hasEnded(await store().close(1))).toBe(true);
    });

    it('completes the open barrier once, in its newest round, together with the horizon', async () => {
      await store().close(1);
      const first = await store().beginRound();
      const round = await store().beginRound();
      expect(round).not.toBe(first);
      const vector = [{ ...us, lsn: 7n }];
      expect(await store().complete({ number: 1, round: first, vector })).toBe(false);
      expect(await store().complete({ number: 2, round, vector })).toBe(false);
      expect((await opened.transfers.standing()).horizon).toEqual([]);
      expect(await store().complete({ number: 1, round, vector })).toBe(true);
      expect(await store().complete({ number: 1, round, vector })).toBe(false);
      const { completed, open: number, completedAtMs } = await store().barrier();
      expect({ completed, number }).toEqual({ completed: 1, number: null });
      expect(completedAtMs).not.toBeNull();
      expect((await opened.transfers.standing()).horizon).toEqual(vector);
    });

    it('never takes the horizon back', async () => {
      for (const [number, lsn] of [
        [1, 9n],
        [2, 4n],
      ] as const) {
        await store().close(number);
        const round = await store().beginRound();
        expect(await store().complete({ number, round, vector: [{ ...us, lsn }] })).toBe(true);
      }
      expect((await opened.transfers.standing()).horizon).toEqual([{ ...us, lsn: 9n }]);
    });

    it('shows what is dead in order, by the generation of its last write', async () => {
      await make('b');
      await make('a');
      await write(opened.records, record('alive'), creation);
      expect(await store().hasDead()).toBe(true);
      expect(await store().countDead()).toBe(2);
      await store().close(1);
      await make('c');
      expect(await dead(0)).toEqual([]);
      expect(await dead(1)).toEqual(['a', 'b']);
      expect(await dead(2)).toEqual(['a', 'b', 'c']);
      expect(await dead(2, record('a'))).toEqual(['b', 'c']);
      expect(await dead(2, beginning, 1)).toEqual(['a']);
      await write(opened.records, record('a'), creation, 2000);
      expect(await dead(2)).toEqual(['b', 'c']);
    });

    it('drops what is told and raises both floors with it', async () => {
      await make('a');
      await make('b');
      await make('c');
      const verdicts: readonly Verdict[] = [
        drop,
        { ...drop, ownCounter: 4, stampMs: 7000 },
        { kind: 'stays' },
      ];
      const ids = ['a', 'b', 'c'].map((key) => record(key));
      expect(await store().collect({ ids, through: 1, decide: () => verdicts })).toBe(2);
      expect(await dead(1)).toEqual(['c']);
      expect(await opened.records.read(record('a'))).toBeNull();
      let floors: unknown = null;
      await opened.records.commitLocal({
        ids: [record('a')],
        decide: ({ states, floor, floorMs }) => {
          floors = { floor, floorMs, bytes: states[0]?.length };
          return [];
        },
      });
      expect(floors).toEqual({ floor: 9, floorMs: 7000, bytes: 0 });
    });

    it('leaves out what was written since, and what is gone', async () => {
      await make('a');
      await make('b');
      await store().close(1);
      await write(opened.records, record('a'), creation, 2000);
      await write(opened.records, record('a'), deletion, 3000);
      const seen: string[] = [];
      const collected = await store().collect({
        ids: ['a', 'b', 'gone'].map((key) => record(key)),
        through: 1,
        decide: (rows) => {
          seen.push(...rows.map(({ key }) => key));
          return rows.map(() => drop);
        },
      });
      expect({ seen, collected }).toEqual({ seen: ['b'], collected: 1 });
      expect(await opened.records.read(record('a'))).not.toBeNull();
    });

    it('counts what a transfer brings as a write of this generation', async () => {
      await make('a');
      const [found] = await store().dead({ after: beginning, through: 1, limit: 1 });
      const state = found?.state ?? expect.fail('a is dead');
      await store().close(1);
      const decide = () => ({ writes: [{ index: 0, state }], refused: [] });
      await opened.transfers.merge({ job: 1, ids: [record('brought')], decide });
      expect(await dead(1)).toEqual(['a']);
      expect(await dead(2)).toEqual(['a', 'brought']);
    });
  });
}
