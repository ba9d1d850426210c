/**
 * What every store must keep of records that may be in conflict: whichever way a state is written, it is listed from
 * then on where it holds siblings, and no longer where it does not. States here are real ones of the conflict library.
 */
import { merge, schema } from '@isthmus/conflict';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeadLetterStore } from '@isthmus/replication/ports/dead-letter-store';
import { beginning } from '@isthmus/replication/ports/record-reader';
import { isLastPage, type RecordStore } from '@isthmus/replication/ports/record-store';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import { bytes, record, region } from './record-store.contract.ts';

export interface OpenStores {
  readonly records: RecordStore;
  readonly letters: DeadLetterStore;
  readonly transfers: TransferStore;
  readonly jobs: TransferJobs;
  readonly close: () => Promise<void>;
}

const origin = region('us');
const incarnation = { counter: 1, nonce: 7 };
const products = schema({ title: { type: 'register' }, price: { type: 'register' } });
const written = (state: Uint8Array, actor: string, title: string) =>
  products.edit(state, { actor, now: 1 }, (editor) => editor.set('title', title)).state;

const first = written(new Uint8Array(0), 'eu-1', 'one');
/** No siblings, and a state that is much like the other. */
export const calm = written(first, 'us-1', 'two');
export const conflicting = merge(calm, written(first, 'eu-1', 'three')).state;

type Way = readonly [string, (stores: OpenStores, key: string, state: Uint8Array) => Promise<void>];

async function writeLocally({ records }: OpenStores, key: string, state: Uint8Array): Promise<void> {
  const decide = () => [{ index: 0, state, delta: bytes('d') }];
  await records.commitLocal({ ids: [record(key)], decide });
}

async function apply({ records }: OpenStores, key: string, state: Uint8Array): Promise<void> {
  await records.applyRemote({
    origin,
    positions: [await nextPosition(records)],
    ids: [record(key)],
    decide: () => ({ writes: [{ index: 0, state }], deadLetters: [] }),
  });
}

async function nextPosition(records: RecordStore) {
  const row = { origin, incarnation, partition: 0, applied: 0n, settled: 0n, beat: null, nextOffset: 0n };
  await records.createPosition(row);
  const expected = (await records.positions(origin))[0]?.applied ?? 0n;
  return { incarnation, partition: 0, expected, applied: expected + 1n, beat: null, nextOffset: 0n };
}

async function transfer({ transfers, jobs }: OpenStores, key: string, state: Uint8Array): Promise<void> {
  const job = await jobs.want({ donor: origin, origin, cause: 'gap', isDryRun: false });
  const decide = () => ({ writes: [{ index: 0, state }], refused: [] });
  expect(await transfers.merge({ job, ids: [record(key)], decide })).toBe(true);
}

async function retry({ records, letters }: OpenStores, key: string, state: Uint8Array): Promise<void> {
  const move = await nextPosition(records);
  const place = { partition: 0, lsn: move.applied, index: 0 };
  const cause = { cause: 'malformed' as const, detail: 'because', stampMs: null };
  const letter = { ...record(key), ...place, ...cause, delta: bytes('d') };
  const decide = () => ({ writes: [], deadLetters: [letter] });
  await records.applyRemote({ origin, positions: [move], ids: [record(key)], decide });
  const applied = await letters.retry([{ origin, incarnation, ...place }], () => {
    return { kind: 'apply', state, conflicts: 0 };
  });
  expect(applied).toEqual(['applied']);
}

const ways: readonly Way[] = [
  ['a local write', writeLocally],
  ['an applied change', apply],
  ['a transfer', transfer],
  ['a dead letter that is tried again', retry],
];

/** All keys that are listed, in pages. */
export async function listed(records: RecordStore, limit: number): Promise<readonly string[]> {
  const keys: string[] = [];
  for (;;) {
    const query = { collection: 'orders', after: keys.at(-1) ?? null, limit };
    const page = await records.listConflicting(query);
    keys.push(...page.map(({ key }) => key));
    if (isLastPage(page, limit)) return keys;
  }
}

export function conflictingRecordsContract(name: string, open: () => Promise<OpenStores>): void {
  describe(`records in conflict: ${name}`, () => {
    let stores: OpenStores;
    beforeEach(async () => {
      stores = await open();
    });
    afterEach(async () => {
      await stores.close();
    });

    it.each(ways)('are listed from %s on, and no longer after one that ends it', async (_, write) => {
      await writeLocally(stores, 'a', conflicting);
      await writeLocally(stores, 'b', calm);
      await write(stores, 'new', conflicting);
      await write(stores, 'b', conflicting);
      await write(stores, 'calm', calm);
      expect(await listed(stores.records, 10)).toEqual(['a', 'b', 'new']);
      await write(stores, 'a', calm);
      await write(stores, 'b', first);
      expect(await listed(stores.records, 10)).toEqual(['new']);
    });

    it('are listed in the order of the bytes of keys, page by page, each with its state', async () => {
      for (const key of ['😀', '\ufffd', 'b', 'é', 'a']) await writeLocally(stores, key, conflicting);
      await writeLocally(stores, 'c', calm);
      for (const limit of [1, 2, 100])
        expect(await listed(stores.records, limit)).toEqual(['a', 'b', 'é', '\ufffd', '😀']);
      const [found] = await stores.records.listConflicting({ collection: 'orders', after: null, limit: 1 });
      expect(Buffer.from(found?.state ?? [])).toEqual(Buffer.from(conflicting));
      expect(await stores.records.listConflicting({ collection: 'other', after: null, limit: 1 })).toEqual(
        [],
      );
    });

    it('stay listed where their state cannot be read', async () => {
      await writeLocally(stores, 'a', bytes('no state'));
      expect(await listed(stores.records, 10)).toEqual(['a']);
    });

    it('leave nothing to be looked at', async () => {
      await writeLocally(stores, 'a', conflicting);
      expect(await stores.records.examine(beginning)).toBeNull();
    });
  });
}
