/** What every control log owes those who claim (P9): one order for all who append, and nothing forgotten. */
import type { ControlLog } from '@isthmus/replication/ports/control-log';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

export interface ControlBench {
  /** Another client of the one log of a fresh region. */
  open(): ControlLog;
  close(): Promise<void>;
}

export function controlLogContract(name: string, openBench: () => Promise<ControlBench>): void {
  describe(`control log contract: ${name}`, () => {
    let bench: ControlBench;
    beforeAll(async () => {
      bench = await openBench();
    }, 120_000);
    afterAll(() => bench.close());

    const read = async (log: ControlLog): Promise<readonly string[]> =>
      (await log.read()).map((bytes) => Buffer.from(bytes).toString());

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

    test('of many who append at once all read one order, in which each has its own', async () => {
      const logs = Array.from({ length: 4 }, () => bench.open());
      const before = (await read(logs[0] ?? expect.fail('a log'))).length;
      await Promise.all(
        logs.map(async (log, index) => {
          await log.append(Buffer.from(`racer ${index}`));
          expect(await read(log)).toContain(`racer ${index}`);
        }),
      );
      const orders = await Promise.all(logs.map(read));
      for (const order of orders) expect(order).toEqual(orders[0]);
      expect(orders[0]?.length).toBe(before + 4);
      await Promise.all(logs.map((log) => log.close()));
    });
  });
}
