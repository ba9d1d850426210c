import type { StoredRecord } from '@isthmus/replication/ports/record-store';
import { expect, test } from 'vitest';
import { parseDeclarations } from '../declarations.ts';
import { recordTypes } from '../records/record-types.ts';
import { Digester } from './digest.ts';

const parsed = parseDeclarations(
  JSON.stringify({ collections: { products: { fields: { name: { type: 'register' } } } } }),
);
const types = recordTypes(parsed.kind === 'declared' ? parsed.declarations : expect.fail());
const declared = types.get('products') ?? expect.fail('products are declared');
/** Every record counts one. */
const type = { ...declared, liveHash: () => 1n };
const state = new Uint8Array(1);
const rowOf = (key: string): StoredRecord => ({ collection: 'products', key, state });

/** Scans show the records of the moment at which they begin, and go on when they are told to. */
function opened() {
  const records: StoredRecord[] = [];
  const scans: (() => void)[] = [];
  async function* scan(): AsyncGenerator<readonly StoredRecord[]> {
    const snapshot = [...records];
    await new Promise<void>((resolve) => void scans.push(resolve));
    yield snapshot;
  }
  const digester = new Digester({ store: { scan }, clock: { nowMs: () => 0 } });
  const counted = async (): Promise<number> => (await digester.digest('products', type)).records;
  return { digester, counted, scans, write: (key: string) => void records.push(rowOf(key)) };
}

/** Once everything that has happened by now was heard of. */
const soon = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('a digest shows what was written before it was asked for, also where another is under way', async () => {
  const { counted, scans, write } = opened();
  write('a');
  const first = counted();
  write('b');
  const later = [counted(), counted()];
  scans[0]?.();
  expect(await first).toBe(1);
  await soon();
  expect(scans, 'who asked while it ran share one').toHaveLength(2);
  write('c');
  scans[1]?.();
  expect(await Promise.all(later)).toEqual([2, 2]);
  const last = counted();
  scans[2]?.();
  expect(await last).toBe(3);
});

test('of many collections few are read at once, so that connections are left for others', async () => {
  const { digester, scans } = opened();
  const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => digester.digest(name, type)));
  for (let ended = 0; ended < 5; ended++) {
    await soon();
    expect(scans.length - ended).toBeLessThanOrEqual(2);
    scans[ended]?.();
  }
  expect(await all).toHaveLength(5);
});

test('closing ends those that are under way and those that wait for them', async () => {
  const { digester, counted, scans } = opened();
  const asked = [counted(), counted()];
  digester.close();
  const ended = Promise.allSettled(asked);
  scans[0]?.();
  for (const outcome of await ended)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'closed', retriable: true } });
  expect(scans).toHaveLength(1);
});
