/**
 * What every `IdentityStore` must do, whatever it is made of (P1): own beats can be read back, a server that was started
 * anew takes no write before it is proven, a hold outlives that, and every process knows both.
 */
import type { IdentityStore } from '@isthmus/replication/ports/identity-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../until.ts';

type Store = Omit<IdentityStore, 'claim' | 'noteClaim' | 'adopt'>;

/** One process of the region. */
export interface IdentityProcess {
  readonly store: Store;
  /** Rejects with what a local write is refused with. */
  readonly write: () => Promise<void>;
}

export interface OpenIdentityStores {
  /** Two processes on one database. */
  readonly one: IdentityProcess;
  readonly two: IdentityProcess;
  /** Writes the next beat. */
  readonly beat: () => Promise<void>;
  /** The server ends and is started anew, and answers when this resolves. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export function identityStoreContract(name: string, open: () => Promise<OpenIdentityStores>): void {
  describe(`IdentityStore: ${name}`, () => {
    let opened: OpenIdentityStores;
    const stores = (): OpenIdentityStores => opened;
    beforeEach(async () => {
      opened = await open();
    }, 60_000);
    afterEach(async () => {
      await opened.close();
    });
    describe('own beats', () => beats(stores));
    describe('a server that was started anew', () => restarts(stores), 60_000);
    describe('a hold', () => holds(stores), 60_000);
  });
}

function beats(stores: () => OpenIdentityStores): void {
  it('are none in a fresh database', async () => {
    const { store } = stores().one;
    expect(await store.newestBeat()).toEqual({ beat: null, hasPublished: false });
    expect(await store.beats(1, 100)).toEqual([]);
  });

  it('are read back from one to another, both included, in order', async () => {
    const { one, two, beat } = stores();
    for (let count = 0; count < 4; count++) await beat();
    const newest = (await one.store.newestBeat()).beat ?? expect.fail('beats were written');
    const kept = await two.store.beats(newest.number - 2, newest.number + 5);
    expect(kept.map(({ number }) => number)).toEqual([newest.number - 2, newest.number - 1, newest.number]);
    expect(newest).toMatchObject(kept.at(-1) ?? {});
    expect(await two.store.insertLsn()).toBeGreaterThan(newest.lsn);
    expect(await one.store.beats(newest.number + 1, newest.number + 9)).toEqual([]);
  });
}

function restarts(stores: () => OpenIdentityStores): void {
  it('takes no write in any process before it is proven, and then in all', async () => {
    const { one, two, restart } = stores();
    await Promise.all([one.write(), two.write()]);
    expect(await one.store.continuity()).toEqual({ kind: 'same' });
    await restart();
    const found = await one.store.continuity();
    if (found.kind !== 'unproven') return expect.fail(`it is ${found.kind}`);
    expect(found.isPromoted).toBe(false);
    for (const each of [one, two])
      await expect(each.write()).rejects.toMatchObject({ code: 'database-unavailable', retriable: true });
    expect(one.store.standing).toBe('unproven');

    await one.store.prove({ ...found.lineage, postmasterStart: '1.5' });
    expect((await one.store.continuity()).kind, 'the proof of another start counts for nothing').toBe(
      'unproven',
    );
    await one.store.prove(found.lineage);
    for (const each of [one, two]) {
      expect(await each.store.continuity()).toEqual({ kind: 'same' });
      await each.write();
      expect(each.store.standing).toBe('same');
    }
  });

  it('tells where the log ended that it was started with, whatever it has written since', async () => {
    const { one, two, beat, restart } = stores();
    await one.write();
    await beat();
    const newest = (await one.store.newestBeat()).beat ?? expect.fail('a beat was written');
    await restart();
    const found = await one.store.continuity();
    if (found.kind !== 'unproven') return expect.fail(`it is ${found.kind}`);
    const recovered = await one.store.recoveredTo();
    expect(recovered).toBeGreaterThan(newest.lsn);
    expect(await one.store.insertLsn()).toBeGreaterThanOrEqual(recovered);
    await one.store.prove(found.lineage);
    await two.write();
    await beat();
    expect(await two.store.insertLsn()).toBeGreaterThan(recovered);
    expect(await two.store.recoveredTo()).toBe(recovered);
  });

  it('is taken for the same on the word of an operator', async () => {
    const { one, two, restart } = stores();
    await restart();
    await two.store.accept();
    await Promise.all([one.write(), two.write()]);
  });
}

function holds(stores: () => OpenIdentityStores): void {
  it('ends the writes of every process until an operator accepts, and keeps the first reason or the last word', async () => {
    const { one, two } = stores();
    await Promise.all([one.write(), two.write()]);
    await one.store.hold('somebody else is alive');
    expect(one.store.standing, 'known without a new connection').toBe('broken');
    await two.store.hold('and another reason');
    for (const each of [one, two]) {
      await expect(each.write()).rejects.toMatchObject({ code: 'identity-mismatch' });
      expect(await each.store.continuity()).toEqual({
        kind: 'broken',
        isHeld: true,
        reason: 'somebody else is alive',
      });
    }
    await two.store.hold('a claim was lost', { isLastWord: true });
    await two.store.hold('and one that comes too late');
    // Both holds have ended its connections.
    const found = await until('it is asked again', 10_000, () => one.store.continuity());
    expect(found).toMatchObject({ kind: 'broken', reason: 'a claim was lost' });
    await two.store.accept();
    await Promise.all([one.write(), two.write()]);
  });

  it('is forgotten by no restart', async () => {
    const { one, two, restart } = stores();
    await one.store.hold('somebody else is alive');
    await restart();
    expect(await two.store.continuity()).toMatchObject({ kind: 'broken', isHeld: true });
    await expect(two.write()).rejects.toMatchObject({ code: 'identity-mismatch' });
    await two.store.accept();
    await one.write();
  });
}
