/**
 * What every `RoleLock` must do: one process of a region has it, and whoever has lost it learns that, however it was
 * lost. It protects no data, so nothing here is about what a holder may still do.
 */
import type { HeldLock, RoleLock } from '@isthmus/replication/ports/role-lock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../until.ts';

export interface RoleLockGround {
  /** Of two processes of one region. */
  readonly one: RoleLock;
  readonly two: RoleLock;
  /** The server ends every connection; it goes on serving. */
  readonly disconnect: () => Promise<void>;
  /** The first process stands still, without dying, until the returned function is called. */
  readonly stop: () => () => void;
  /** The server is gone, and back after the returned function; `null`: it lives and dies with the process. */
  readonly goDown: (() => Promise<() => Promise<void>>) | null;
  readonly close: () => Promise<void>;
}

/** For a holder that has fallen silent, with room for a slow machine. */
const noticedMs = 20_000;

export function roleLockContract(name: string, begin: () => Promise<RoleLockGround>): void {
  describe(`RoleLock: ${name}`, () => {
    let ground: RoleLockGround;
    beforeEach(async () => {
      ground = await begin();
    });
    afterEach(() => ground.close());

    it('is with one process at a time, and free again once released', async () => {
      const { one, two } = ground;
      const held = await taken(one);
      expect(await two.tryAcquire()).toBeNull();
      expect(await one.tryAcquire(), 'not twice for its holder either').toBeNull();
      await held.release();
      const next = await taken(two);
      expect(await one.tryAcquire()).toBeNull();
      await next.release();
    });

    it('goes to one of many who ask at once', async () => {
      const asked = [ground.one, ground.two, ground.one, ground.two].map((lock) => lock.tryAcquire());
      const held = (await Promise.all(asked)).filter((lock) => lock !== null);
      expect(held).toHaveLength(1);
      await held[0]?.release();
    });

    it('is lost with the connections, and its holder learns it', async () => {
      const held = await taken(ground.one);
      await ground.disconnect();
      await lost(held);
      const next = await takenSoon(ground.two);
      await held.release();
      expect(await ground.one.tryAcquire(), 'what was lost is not given back once more').toBeNull();
      await next.release();
    }, 40_000);

    it('is not lost while its holder lives, nor does a release that comes twice take it from the next', async () => {
      const held = await taken(ground.one);
      const fate = Promise.race([held.lost.then(() => 'lost'), ground.two.tryAcquire()]);
      expect(await fate).toBeNull();
      await held.release();
      const next = await taken(ground.two);
      await held.release();
      expect(await ground.one.tryAcquire()).toBeNull();
      await next.release();
    });

    it('passes within seconds from a process that stands still, which learns it when it goes on', async () => {
      const held = await taken(ground.one);
      const goOn = ground.stop();
      const next = await takenSoon(ground.two);
      goOn();
      await lost(held);
      await held.release();
      expect(await ground.one.tryAcquire()).toBeNull();
      await next.release();
    }, 60_000);

    it('is neither given nor refused where nobody can tell who has it', async () => {
      if (ground.goDown === null) return;
      const held = await taken(ground.one);
      const comeUp = await ground.goDown();
      await expect(ground.two.tryAcquire()).rejects.toMatchObject({
        code: 'database-unavailable',
        retriable: true,
      });
      await lost(held);
      await held.release();
      await comeUp();
      await (await takenSoon(ground.two)).release();
    }, 60_000);
  });
}

async function taken(lock: RoleLock): Promise<HeldLock> {
  return (await lock.tryAcquire()) ?? expect.fail('nobody has the lock');
}

/** A server that ends connections frees their locks a moment later. */
function takenSoon(lock: RoleLock): Promise<HeldLock> {
  return until('the lock is free', noticedMs, () => lock.tryAcquire());
}

async function lost(held: HeldLock): Promise<void> {
  const isLost = held.lost.then(() => true);
  await until('its holder knows that the lock is lost', noticedMs, () => Promise.race([isLost, soon(false)]));
}

/** Once everything that has happened by now was heard of. */
function soon<T>(value: T): Promise<T> {
  return new Promise((resolve) => void setImmediate(resolve, value));
}
