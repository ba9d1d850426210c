/**
 * Where the milliseconds from a commit to its visibility go, hop by hop, as both regions count them in their metrics:
 * what was counted between two readings, with quantiles read off the buckets. Commits and log records are counted and
 * not writes, so hops of large ones weigh no more, and quantiles of hops do not add up to those of the whole way.
 */
import type { Demo } from '../demo.ts';

/** In the order of the way. */
const hops = [
  { name: 'decoded', at: 'origin', what: 'commit to relay' },
  { name: 'relayed', at: 'origin', what: 'waits for the publish before it' },
  { name: 'carried', at: 'target', what: 'publish to arrival at the peer' },
  { name: 'queued', at: 'target', what: 'waits for the transaction before it' },
  { name: 'applied', at: 'target', what: 'apply transaction' },
] as const;

type HopName = (typeof hops)[number]['name'];

/** Cumulative counts by the upper bounds of buckets in seconds, in their order. */
export type Buckets = readonly (readonly [upToS: number, count: number])[];
export type HopCounts = ReadonlyMap<HopName, Buckets>;

/** Of the way from the origin to the target. */
export async function readHops({ origin, target }: Demo): Promise<HopCounts> {
  const [atOrigin, atTarget] = await Promise.all([origin.admin, target.admin].map(metricsAt));
  const texts = { origin: atOrigin ?? '', target: atTarget ?? '' };
  return new Map(hops.map(({ name, at }) => [name, bucketsOf(texts[at], name, origin.region)]));
}

async function metricsAt(admin: string): Promise<string> {
  return (await fetch(`${admin}/metrics`)).text();
}

export function bucketsOf(text: string, hop: string, origin: string): Buckets {
  const lines = text.matchAll(/^isthmus_replication_hop_seconds_bucket\{([^}]*)\} (\S+)$/gm);
  const found: [number, number][] = [];
  for (const [, labels = '', count] of lines) {
    if (!labels.includes(`hop="${hop}"`) || !labels.includes(`origin="${origin}"`)) continue;
    const upTo = /le="([^"]+)"/.exec(labels)?.[1];
    found.push([upTo === '+Inf' ? Number.POSITIVE_INFINITY : Number(upTo), Number(count)]);
  }
  return found;
}

/** A table, one line for each hop. */
export function hopLines(before: HopCounts, after: HopCounts): readonly string[] {
  const lines = hops.map(({ name, what }) => {
    const counted = between(before.get(name) ?? [], after.get(name) ?? []);
    const total = counted.at(-1)?.[1] ?? 0;
    const [p50, p99] = [0.5, 0.99].map((share) => milliseconds(quantile(counted, share)));
    return `${name.padEnd(8)} ${p50} ${p99} ${String(total).padStart(7)}  ${what}`;
  });
  return ['hop       p50 ms   p99 ms   counted', ...lines];
}

function between(before: Buckets, after: Buckets): Buckets {
  const counts = new Map(before);
  return after.map(([upTo, count]) => [upTo, count - (counts.get(upTo) ?? 0)] as const);
}

/** Seconds; within a bucket it is taken as spread evenly. `null`: nothing was counted. */
export function quantile(counted: Buckets, share: number): number | null {
  const wanted = share * (counted.at(-1)?.[1] ?? 0);
  if (wanted === 0) return null;
  let [low, below] = [0, 0];
  for (const [upTo, count] of counted) {
    if (count >= wanted && count > below)
      return Number.isFinite(upTo) ? low + ((upTo - low) * (wanted - below)) / (count - below) : low;
    [low, below] = [upTo, count];
  }
  return low;
}

function milliseconds(seconds: number | null): string {
  return (seconds === null ? '-' : (seconds * 1000).toFixed(2)).padStart(8);
}
