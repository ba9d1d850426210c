/**
 * Holds what regions say about lag, backlog and RPO against the truth, four times a second: the truth is read before and after
 * each scrape, so that what changes in between counts for neither side. That a figure is too low is judged at all
 * times, and so is that it is too high: with patience where something was repaired just now, and for an RPO against what
 * the origin can know while something stands in the way of a confirmation.
 */
import { Client } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { HistoryEvent, Violation } from '../checkers/history.ts';
import { Beats } from './beats.ts';
import type { ChaosRegion } from './chaos-region.ts';
import { Confirmed } from './confirmed.ts';
import { GaugeJudge, type JudgedFigures } from './gauge-judge.ts';
import { type Gauges, known, parseGauges } from './gauges.ts';
import { type Insert, Missing } from './missing.ts';
import { Tally } from './tally.ts';

interface Pair {
  readonly origin: ChaosRegion;
  readonly target: ChaosRegion;
  readonly missing: Missing;
  readonly tally: Tally;
  readonly confirmed: Confirmed;
}

interface Scrape {
  readonly fromMs: number;
  readonly toMs: number;
  readonly gauges: Gauges;
}

/** What an origin last said about its RPO towards a target. */
export interface LastWord {
  readonly atMs: number;
  readonly shownMs: number | null;
  readonly changes: number | null;
}

export interface OracleOptions {
  readonly regions: readonly ChaosRegion[];
  /** Nothing is wrong, and nothing was for a while. */
  readonly isCalm: () => boolean;
  /** Nothing is wrong between the two, and nothing was for a while. */
  readonly isWhole: (one: string, other: string) => boolean;
}

const intervalMs = 250;
const statementTimeoutMs = 1000;
/** A peer tells its progress once in each beat, and reads it once in each. */
const progressMs = 500;
/** On a busy machine it takes longer, and what was on its way when a way was cut may never come. */
const lateProgressMs = 1500;
/** An origin does not know how much a peer lacks where its newest counted beat is older. */
const countedMs = 600;
/** A target does not know how much it lacks where the newest beat that has arrived is older; a beat takes a while. */
const heardMs = 3000;
/** What is on its way to a region when it is looked at. */
const inFlight = 5;
/** Ages are told by beats, and after a repair a beat has to be made, published and applied before they fall. */
const afterRepairMs = 3000;
/** What changes within a second need not be in a number of changes. */
const slackMs = 1000;

export class Oracle {
  readonly #options: OracleOptions;
  readonly #pairs: readonly Pair[];
  readonly #judge = new GaugeJudge();
  readonly #latest = new Map<string, Scrape>();
  readonly #lastWords = new Map<string, LastWord>();
  readonly #beats = new Map<string, Beats>();
  readonly #tallies = new Map<string, Tally>();
  readonly #ended = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: OracleOptions) {
    this.#options = options;
    const { regions } = options;
    this.#pairs = regions.flatMap((origin) =>
      regions
        .filter((target) => target !== origin)
        .map((target) => ({
          origin,
          target,
          missing: new Missing(),
          tally: this.#tallyOf(origin),
          confirmed: new Confirmed(),
        })),
    );
  }

  start(): void {
    this.#running = Promise.all(this.#options.regions.map((target) => this.#watch(target)));
  }

  note(event: HistoryEvent): void {
    const { operation, result, region, invokedAtMs, completedAtMs } = event;
    this.#tallies.get(region)?.add(event);
    if (operation.kind !== 'insert' || result !== 'ok') return;
    const insert = { key: operation.key, invokedAtMs, ackedAtMs: completedAtMs };
    for (const { origin, missing } of this.#pairs) if (origin.name === region) missing.add(insert);
  }

  /** The clock of a region is about to be set: for a moment nobody can know by how much ages are too high. */
  clockSet(): void {
    this.#judge.clockSet();
  }

  /** Of a region's newest scrape; empty before the first. */
  gauges(region: string): Gauges {
    return this.#latest.get(region)?.gauges ?? new Map();
  }

  lastWord(origin: string, target: string): LastWord | null {
    return this.#lastWords.get(`${origin} of ${target}`) ?? null;
  }

  /** Acknowledged by an origin, and not at a target when that was last looked at; oldest first. */
  missing(origin: string, target: string): readonly Insert[] {
    const pair = this.#pairs.find((each) => each.origin.name === origin && each.target.name === target);
    return pair?.missing.inserts ?? [];
  }

  /** At least so many changes that an origin acknowledged before its last word about a target are not at the target. */
  leastLost(origin: string, target: string): number {
    const pair = this.#pairs.find((each) => each.origin.name === origin && each.target.name === target);
    const word = this.lastWord(origin, target);
    if (pair === undefined || word === null) return 0;
    return pair.tally.least(pair.missing.absent, word.atMs - countedMs);
  }

  get figures(): JudgedFigures {
    return this.#judge.figures;
  }

  /** What was wrong, and whether there was anything to judge about those that are there to the end. */
  async stop(lasting: readonly string[] = []): Promise<readonly Violation[]> {
    this.#ended.abort();
    await this.#running;
    const places = lasting.flatMap((one) =>
      lasting.filter((other) => other !== one).map((other) => `${one} of ${other}`),
    );
    return [...this.#judge.violations, ...this.#judge.silent(places)];
  }

  /** Looks at all that goes to one target, until the end. */
  async #watch(target: ChaosRegion): Promise<void> {
    const pairs = this.#pairs.filter((pair) => pair.target === target);
    while (!this.#ended.signal.aborted) {
      const client = new Client({
        connectionString: target.site.postgres.url,
        statement_timeout: statementTimeoutMs,
        query_timeout: statementTimeoutMs,
        connectionTimeoutMillis: statementTimeoutMs,
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        while (!this.#ended.signal.aborted) {
          await this.#beatsOf(target).read(client);
          await this.#round(pairs, client);
          await delay(intervalMs);
        }
      } catch {
        // The target's database is away: nobody knows the truth about it, and nothing is judged.
        await this.#scrape(target);
        await delay(intervalMs);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  async #round(pairs: readonly Pair[], client: Client): Promise<void> {
    const present = async (keys: readonly string[]): Promise<ReadonlySet<string>> => {
      const sql = "SELECT key FROM isthmus.record WHERE collection = 'products' AND key = ANY($1)";
      const { rows } = await client.query<{ key: string }>(sql, [keys]);
      return new Set(rows.map(({ key }) => key));
    };
    for (const pair of pairs) {
      await pair.missing.look(present);
      const isCalm = this.#options.isCalm();
      const isWhole = this.#isWhole(pair);
      const mostSinceMs = this.#reachedMs(pair, isCalm ? 0 : afterRepairMs);
      const reached = {
        nowMs: this.#reachedMs(pair, 0) - progressMs,
        beforeMs: this.#reachedMs(pair, lateProgressMs) - progressMs,
      };
      const [ofOrigin, ofTarget] = await Promise.all([this.#scrape(pair.origin), this.#scrape(pair.target)]);
      await pair.missing.look(present);
      const truth = { pair, mostSinceMs };
      if (ofTarget !== null) this.#judgeLag(truth, ofTarget);
      const sinceMs = pair.confirmed.sinceMs(reached, isWhole && this.#isWhole(pair));
      if (ofOrigin !== null) this.#judgeRpo(pair, ofOrigin, sinceMs);
    }
  }

  /** Of a beat before which all was at the target so long ago. */
  #reachedMs({ origin, missing }: Pair, agoMs: number): number {
    return this.#beatsOf(origin).before(missing.reachedMs(agoMs));
  }

  #isWhole({ origin, target }: Pair): boolean {
    return this.#options.isWhole(origin.name, target.name);
  }

  #beatsOf({ name }: ChaosRegion): Beats {
    const beats = this.#beats.get(name) ?? new Beats();
    this.#beats.set(name, beats);
    return beats;
  }

  async #scrape(region: ChaosRegion): Promise<Scrape | null> {
    const fromMs = performance.now();
    const page = await region.client.metrics().catch(() => null);
    if (page === null) return null;
    const scrape = { fromMs, toMs: performance.now(), gauges: parseGauges(page) };
    this.#latest.set(region.name, scrape);
    return scrape;
  }

  #judgeLag({ pair, mostSinceMs }: Truth, { fromMs, toMs, gauges }: Scrape): void {
    const { origin, target, missing, tally } = pair;
    const from = `origin="${origin.name}"`;
    const place = `${target.name} of ${origin.name}`;
    this.#judge.judgeAge({
      gauge: 'lag',
      place,
      shownMs: inMs(known(gauges, `replication_lag_seconds{${from},target="${target.name}"}`)),
      leastMs: leastAge(missing, fromMs),
      mostMs: toMs - mostSinceMs,
    });
    this.#judge.judgeCount({
      gauge: 'backlog',
      place,
      shown: known(gauges, `replication_backlog_changes{${from}}`),
      least: tally.least(missing.absent, fromMs - heardMs),
      most: tally.most(mostSinceMs - slackMs) + inFlight,
    });
  }

  #judgeRpo({ origin, target, missing, tally }: Pair, scrape: Scrape, sinceMs: number): void {
    const { fromMs, toMs, gauges } = scrape;
    const peer = `{peer="${target.name}"}`;
    const shownMs = inMs(known(gauges, `rpo_seconds${peer}`));
    const changes = known(gauges, `rpo_changes${peer}`);
    const place = `${origin.name} of ${target.name}`;
    this.#lastWords.set(place, { atMs: fromMs, shownMs, changes });
    this.#judge.judgeAge({
      gauge: 'rpo',
      place,
      shownMs,
      leastMs: leastAge(missing, fromMs),
      mostMs: toMs - sinceMs,
    });
    this.#judge.judgeCount({
      gauge: 'rpo changes',
      place,
      shown: changes,
      least: tally.least(missing.absent, fromMs - countedMs),
      most: Number.isFinite(sinceMs) ? tally.most(sinceMs - slackMs) + inFlight : Number.POSITIVE_INFINITY,
    });
  }

  #tallyOf({ name }: ChaosRegion): Tally {
    const tally = this.#tallies.get(name) ?? new Tally();
    this.#tallies.set(name, tally);
    return tally;
  }
}

interface Truth {
  readonly pair: Pair;
  /** Of a beat before which everything was there before the scrape. */
  readonly mostSinceMs: number;
}

/** Age of the oldest insert that was acknowledged before the scrape and is missing after it. */
function leastAge({ inserts }: Missing, scrapedMs: number): number {
  const [oldest] = inserts;
  return oldest === undefined ? 0 : Math.max(0, scrapedMs - oldest.ackedAtMs);
}

function inMs(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}
