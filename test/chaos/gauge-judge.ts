/**
 * Holds one reading after the other against the truth. That a figure is too low is a violation at once. That it is too
 * high is one only where it stays so, because a machine that is busy answers late; and not in the moment in which a
 * clock is set, when nobody can know by how much.
 */
import type { Violation } from '../checkers/history.ts';
import { checkCount, checkGauge, type CountReading, type GaugeReading } from '../checkers/metrics.ts';

/** Processes read the clock of their database each second, and offsets between clocks are measured by an echo after that. */
const afterClockSetMs = 5000;
const tooHighInRow = 4;
/** What says "unknown" throughout is never wrong, and has told nobody anything. Numbers are unknown on a busy machine for long. */
const leastReadings = { lag: 5, rpo: 5, backlog: 1, 'rpo changes': 1 } as const;
const gauges = ['lag', 'rpo', 'backlog', 'rpo changes'] as const;

export interface JudgedFigures {
  /** Of ages. */
  readonly readings: number;
  /** Furthest that an age was outside of what is known. */
  readonly worstMs: number;
  /** Readings of numbers of changes. */
  readonly counts: number;
  /** How many of these were of a backlog. */
  readonly backlogs: number;
}

export class GaugeJudge {
  readonly violations: Violation[] = [];
  /** Readings in a row that were wrong. */
  readonly #inRow = new Map<string, number>();
  readonly #ofSeries = new Map<string, number>();
  #readings = 0;
  #counts = 0;
  #backlogs = 0;
  #worstMs = 0;
  #judgesHighFromMs = 0;

  get figures(): JudgedFigures {
    return {
      readings: this.#readings,
      worstMs: Math.round(this.#worstMs),
      counts: this.#counts,
      backlogs: this.#backlogs,
    };
  }

  clockSet(): void {
    this.#judgesHighFromMs = performance.now() + afterClockSetMs;
  }

  judgeAge(found: GaugeReading): void {
    const isJudged = performance.now() > this.#judgesHighFromMs;
    const reading = isJudged ? found : { ...found, mostMs: Number.POSITIVE_INFINITY };
    const { shownMs, leastMs, mostMs } = reading;
    if (shownMs === null) return;
    this.#readings += 1;
    this.#count(reading);
    const high = Number.isFinite(mostMs) ? shownMs - mostMs : 0;
    this.#worstMs = Math.max(this.#worstMs, leastMs - shownMs, high);
    this.#weigh(reading, { violation: checkGauge(reading), isTooLow: shownMs < leastMs });
  }

  judgeCount(reading: CountReading): void {
    if (reading.shown === null) return;
    this.#counts += 1;
    if (reading.gauge === 'backlog') this.#backlogs += 1;
    this.#count(reading);
    this.#weigh(reading, { violation: checkCount(reading), isTooLow: reading.shown < reading.least });
  }

  /** Places about which hardly anything was said that could be judged. */
  silent(places: readonly string[]): readonly Violation[] {
    return places.flatMap((place) =>
      gauges.flatMap((gauge) => {
        const count = this.#ofSeries.get(`${gauge} of ${place}`) ?? 0;
        const least = leastReadings[gauge];
        const detail = `${gauge} was known in ${count} readings, at least ${least} are needed`;
        return count < least ? [{ checker: 'metrics', key: place, detail }] : [];
      }),
    );
  }

  #count({ gauge, place }: Pick<GaugeReading | CountReading, 'gauge' | 'place'>): void {
    const series = `${gauge} of ${place}`;
    this.#ofSeries.set(series, (this.#ofSeries.get(series) ?? 0) + 1);
  }

  #weigh(
    { gauge, place }: Pick<GaugeReading | CountReading, 'gauge' | 'place'>,
    { violation, isTooLow }: { readonly violation: Violation | null; readonly isTooLow: boolean },
  ): void {
    const series = `${gauge} of ${place}`;
    const inRow = violation === null ? 0 : (this.#inRow.get(series) ?? 0) + 1;
    this.#inRow.set(series, inRow);
    if (violation !== null && (isTooLow || inRow >= tooHighInRow)) this.violations.push(violation);
  }
}
