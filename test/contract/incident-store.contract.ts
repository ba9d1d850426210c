/**
 * What every `IncidentStore` must do: hold a peer to one incident that has not ended, replace by compare-and-set, and
 * list newest first. `note` stands for the record store, which notes conflicts in the transaction that applies them.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegionId } from '@isthmus/replication/ports/identity';
import {
  type Incident,
  type IncidentConflict,
  type IncidentStore,
  type NewIncident,
  maxListedConflicts,
} from '@isthmus/replication/ports/incident-store';
import { region } from './record-store.contract.ts';

export interface OpenIncidentStore {
  readonly store: IncidentStore;
  readonly note: (peer: RegionId, conflicts: readonly IncidentConflict[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

const [us, ap] = [region('us'), region('ap')];
const mark = { incarnation: { counter: 1, nonce: 4294967295 }, beat: 12, count: 345 };
/** With `us`, and open. */
export const fresh: NewIncident = {
  peer: us,
  state: 'partitioned',
  startedAtMs: 1_700_000_000_000.125,
  declaredAtMs: 1_700_000_005_000,
  healedAtMs: null,
  settledAtMs: null,
  endedAtMs: null,
  from: { own: mark, peer: null },
  until: null,
  writes: { own: 3, peer: null },
  digests: null,
};

export function incidentStoreContract(name: string, open: () => Promise<OpenIncidentStore>): void {
  describe(`IncidentStore: ${name}`, () => {
    let opened: OpenIncidentStore;
    const store = (): IncidentStore => opened.store;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    async function created(incident = fresh): Promise<Incident> {
      return (await store().create(incident)) ?? expect.fail('the peer has no incident');
    }

    it('gives back what it was given, value for value', async () => {
      const first = await created();
      expect(first).toEqual({ ...fresh, number: first.number, revision: 1, conflictCount: 0 });
      expect(await store().open()).toEqual([first]);
      expect(await store().find(first.number)).toEqual(first);
      expect(await store().find(first.number + 1)).toBeNull();
    });

    it('holds a peer to one that has not ended', async () => {
      const first = await created();
      const tries = await Promise.all([1, 2, 3].map(() => store().create(fresh)));
      expect(tries).toEqual([null, null, null]);
      const other = await created({ ...fresh, peer: ap });
      expect((await store().open()).map(({ number }) => number)).toEqual([first.number, other.number]);
      const ended = { ...first, state: 'reconciled', endedAtMs: 1_700_000_009_000 } as const;
      expect(await store().replace(ended)).toBe(true);
      expect(await store().open()).toEqual([other]);
      expect((await created()).number).toBeGreaterThan(first.number);
    });

    it('replaces only what was not changed since it was read', async () => {
      const first = await created();
      const until = { own: mark, peer: { ...mark, count: null } };
      const digests = { own: { products: 'd' }, peer: { products: 'd' } };
      const next = { ...first, state: 'healing', until, digests, healedAtMs: 1.5 } as const;
      const both = await Promise.all([store().replace(next), store().replace(next)]);
      expect(both.toSorted()).toEqual([false, true]);
      expect(await store().find(first.number)).toEqual({ ...next, revision: 2 });
      expect(await store().drop(first)).toBe(false);
      expect(await store().drop({ ...next, revision: 2 })).toBe(true);
      expect(await store().find(first.number)).toBeNull();
      expect(await store().replace({ ...next, revision: 2 })).toBe(false);
    });

    it('lists newest first, page by page', async () => {
      const numbers: number[] = [];
      for (let index = 0; index < 5; index++)
        numbers.push((await created({ ...fresh, endedAtMs: index })).number);
      const page = await store().list({ before: null, limit: 3 });
      expect(page.map(({ number }) => number)).toEqual(numbers.toReversed().slice(0, 3));
      const rest = await store().list({ before: page.at(-1)?.number ?? null, limit: 3 });
      expect(rest.map(({ number }) => number)).toEqual(numbers.toReversed().slice(3));
    });

    it('notes each record in conflict once, with the open incident of that peer only', async () => {
      await opened.note(us, [{ collection: 'a', key: 'before', fields: 1 }]);
      const first = await created();
      const other = await created({ ...fresh, peer: ap });
      await opened.note(us, [
        { collection: 'b', key: 'x', fields: 1 },
        { collection: 'a', key: 'z', fields: 2 },
      ]);
      await opened.note(us, [
        { collection: 'b', key: 'x', fields: 3 },
        { collection: 'a', key: 'y', fields: 1 },
      ]);
      expect(await store().find(first.number)).toMatchObject({ conflictCount: 3, revision: 1 });
      expect(await store().conflicts(first.number)).toEqual([
        { collection: 'a', key: 'y', fields: 1 },
        { collection: 'a', key: 'z', fields: 2 },
        { collection: 'b', key: 'x', fields: 1 },
      ]);
      expect(await store().conflicts(other.number)).toEqual([]);
      expect(await store().replace({ ...first, endedAtMs: 1 })).toBe(true);
      await opened.note(us, [{ collection: 'c', key: 'after', fields: 1 }]);
      expect(await store().find(first.number)).toMatchObject({ conflictCount: 3 });
    });

    it('counts on where no more records are listed (I12)', async () => {
      const first = await created();
      for (let batch = 0; batch < 4; batch++) {
        const keys = Array.from({ length: maxListedConflicts / 2 }, (_, index) => `k${batch}-${index}`);
        await opened.note(
          us,
          keys.map((key) => ({ collection: 'a', key, fields: 1 })),
        );
      }
      expect(await store().find(first.number)).toMatchObject({ conflictCount: 2 * maxListedConflicts });
      expect(await store().conflicts(first.number)).toHaveLength(maxListedConflicts);
    });
  });
}
