/** What every `JoiningStore` must do: a fresh database joins until it is told that it has, and never again (P6). */
import type { JoiningStore } from '@isthmus/replication/ports/joining-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface JoiningGround {
  /** The fresh database as one more process opens it. */
  readonly open: () => Promise<JoiningStore>;
  /** The server ends as in a power cut and is started anew; what was opened before is of no use. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export function joiningStoreContract(name: string, begin: () => Promise<JoiningGround>): void {
  describe(`JoiningStore: ${name}`, () => {
    let ground: JoiningGround;
    beforeEach(async () => {
      ground = await begin();
    });
    afterEach(() => ground.close());

    it('joins while it is fresh, in every process, until one of them says that it has', async () => {
      const [one, two] = [await ground.open(), await ground.open()];
      for (const each of [one, two]) expect(await each.isJoining()).toBe(true);
      await one.joined();
      for (const each of [one, two, await ground.open()]) expect(await each.isJoining()).toBe(false);
    });

    it('stays joined where it is told again', async () => {
      const [one, two] = [await ground.open(), await ground.open()];
      await Promise.all([one.joined(), two.joined()]);
      await one.joined();
      expect(await two.isJoining()).toBe(false);
    });

    it('forgets neither through a crash', async () => {
      await ground.open();
      await ground.restart();
      const next = await ground.open();
      expect(await next.isJoining()).toBe(true);
      await next.joined();
      await ground.restart();
      expect(await (await ground.open()).isJoining()).toBe(false);
    }, 60_000);
  });
}
