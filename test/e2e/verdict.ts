/** Waits until all regions show the same, then holds what they show against the history. */
import { expect } from 'vitest';
import { checkCounters } from '../checkers/counters.ts';
import type { History } from '../checkers/history.ts';
import { checkInserts } from '../checkers/inserts.ts';
import { checkRegisters } from '../checkers/registers.ts';
import { until } from '../until.ts';
import type { RegionClient } from './region-client.ts';

export async function converged(
  regions: readonly RegionClient[],
  collection: string,
  deadlineMs: number,
): Promise<void> {
  await until(`equal digests of ${collection}`, deadlineMs, async () => {
    const digests = await Promise.all(regions.map((region) => region.digest(collection)));
    if (new Set(digests).size > 1) throw new Error(`digests ${digests.join(' ')}`);
    return true;
  });
}

/** Fails the test with every violation found in any region. */
export async function expectNothingLost(
  regions: readonly RegionClient[],
  prefix: string,
  history: History,
): Promise<void> {
  for (const region of regions) {
    expect(await region.status(), region.region).toMatchObject({ gaps: 0, deadLetters: 0 });
    const records = await region.list('products');
    const counters = new Map<string, number>();
    const registers = new Map<string, string>();
    const inserts = new Set<string>();
    for (const [key, value] of records) {
      if (key.startsWith(`${prefix}counter-`)) counters.set(key, Number(value['likes']));
      else if (key.startsWith(`${prefix}register-`)) registers.set(key, String(value['title']));
      else if (key.startsWith(`${prefix}insert/`)) inserts.add(key);
    }
    const violations = [
      ...checkCounters(history, counters),
      ...checkRegisters(history, registers),
      ...checkInserts(history, inserts),
    ];
    expect(violations, region.region).toEqual([]);
  }
}
