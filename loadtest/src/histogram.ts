/**
 * Latencies in milliseconds, kept in an HDR histogram of microseconds with three digits. What is recorded must be the
 * time since the moment at which the work was *meant* to begin, so that a stall counts for everything that it held up
 * and not only for the one request that met it (coordinated omission).
 */
import { build, type Histogram } from 'hdr-histogram-js';

const longestUs = 120_000_000;
const digits = 3;
const curve = [0, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 100];

export interface LatencySummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Percentile and milliseconds, rising. */
  readonly curve: readonly (readonly [number, number])[];
}

export class Latency {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: longestUs,
    numberOfSignificantValueDigits: digits,
    bitBucketSize: 32,
    useWebAssembly: false,
  });

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(longestUs, Math.max(0, Math.round(ms * 1000))));
  }

  add(other: Latency): void {
    this.#histogram.add(other.#histogram);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  summary(): LatencySummary {
    const at = (percentile: number): number =>
      this.count === 0 ? 0 : this.#histogram.getValueAtPercentile(percentile) / 1000;
    return {
      count: this.count,
      p50Ms: at(50),
      p99Ms: at(99),
      maxMs: at(100),
      curve: curve.map((percentile) => [percentile, at(percentile)] as const),
    };
  }
}
