/** What every control log owes those who claim (P9): one order for all who append, and nothing forgotten. */
import type { ControlLog } from '@isthmus/replication/ports/control-log';
import type { FeedSubscription } from '@isthmus/replication/ports/change-feed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../until.ts';

export interface ControlBench {
  /** Another client of the one log of a fresh region. */
  open(): ControlLog;
  /** Reads what is claimed from now on; `null`: nobody listens to such a log. */
  claims(): FeedSubscription | null;
  close(): Promise<void>;
}

export function controlLogContract(name: string, openBench: () => Promise<ControlBench>): void {
  describe(`control log contract: ${name}`, () => {
    let bench: ControlBench;
    beforeAll(async () => {
      bench = await openBench();
    }, 120_000);
    afterAll(() => bench.close());

    const read = async (
      log: ControlLog,
      counts?: (bytes: Uint8Array) => boolean,
    ): Promise<readonly string[]> => (await log.read(counts)).map((bytes) => Buffer.from(bytes).toString());

    test('what was appended is read in its order, by everyone alike', async () => {
      const [one, two] = [bench.open(), bench.open()];
      expect(await read(one)).toEqual([]);
      for (let number = 0; number < 5; number++) await one.append(Buffer.from(`one ${number}`));
      await two.append(Buffer.from('two'));
      const expected = ['one 0', 'one 1', 'one 2', 'one 3', 'one 4', 'two'];
      expect(await read(one)).toEqual(expected);
      expect(await read(two)).toEqual(expected);
      await Promise.all([one.close(), two.close()]);
    });

    test('what does not count is passed over and not kept (I12)', async () => {
      const log = bench.open();
      const before = (await read(log)).length;
      for (let number = 0; number < 4; number++) await log.append(Buffer.from(`some ${number}`));
      const seen: string[] = [];
      const found = await read(log, (bytes) => {
        seen.push(Buffer.from(bytes).toString());
        return seen.at(-1) === 'some 2';
      });
      expect(found).toEqual(['some 2']);
      expect(seen.slice(before)).toEqual(['some 0', 'some 1', 'some 2', 'some 3']);
      await log.close();
    });

    test('whoever listens hears every claim that is made from then on, and none of before (P9)', async () => {
      const log = bench.open();
      await log.append(Buffer.from('before'));
      const claims = bench.claims();
      if (claims === null) return log.close();
      await until('it listens', 30_000, () => claims.connected);
      await log.append(Buffer.from('first'));
      await log.append(Buffer.from('second'));
      const heard: string[] = [];
      while (heard.length < 2) {
        const batch = (await claims.next()) ?? expect.fail('it goes on');
        heard.push(...batch.records.map(({ bytes }) => Buffer.from(bytes).toString()));
      }
      expect(heard).toEqual(['first', 'second']);
      await Promise.all([claims.close(), log.close()]);
    }, 60_000);

    test('of many who append at once all read one order, in which each has its own', async () => {
      const logs = Array.from({ length: 4 }, () => bench.open());
      const before = (await read(logs[0] ?? expect.fail('a log'))).length;
      await Promise.all(
        logs.map(async (log, index) => {
          await log.append(Buffer.from(`racer ${index}`));
          expect(await read(log)).toContain(`racer ${index}`);
        }),
      );
      const orders = await Promise.all(logs.map((log) => read(log)));
      for (const order of orders) expect(order).toEqual(orders[0]);
      expect(orders[0]?.length).toBe(before + 4);
      await Promise.all(logs.map((log) => log.close()));
    });
  });
}
