/** Whether, after the last fault, the regions hold the same, and whether every counter reads what was acknowledged. */
import { judgeSum, type Sum } from '../checkers/sums.ts';
import type { RegionClient } from '../e2e/region-client.ts';
import { until } from '../until.ts';

const collection = 'products';
const deadlineMs = 120_000;

/** What is wrong, as sentences; empty: nothing. */
export async function agreement(
  regions: readonly RegionClient[],
  sums: ReadonlyMap<string, Sum>,
): Promise<readonly string[]> {
  const apart = await equalDigests(regions);
  if (apart !== null) return [apart];
  const found = await Promise.all(regions.map((region) => judgeCounters(region, sums)));
  return found.flat();
}

async function equalDigests(regions: readonly RegionClient[]): Promise<string | null> {
  try {
    await until(`equal digests of ${collection}`, deadlineMs, async () => {
      const digests = await Promise.all(regions.map((region) => region.digest(collection)));
      return new Set(digests).size === 1;
    });
    return null;
  } catch (reason) {
    return reason instanceof Error ? reason.message : 'digests differ';
  }
}

async function judgeCounters(
  region: RegionClient,
  sums: ReadonlyMap<string, Sum>,
): Promise<readonly string[]> {
  const records = await region.list(collection);
  return [...sums].flatMap(([key, sum]) => {
    const found = Number(records.get(key)?.['likes'] ?? 0);
    const wrong = judgeSum(sum, found);
    return wrong === null ? [] : [`${region.region} ${key} ${wrong}`];
  });
}
