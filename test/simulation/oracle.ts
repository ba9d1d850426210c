/**
 * Knows the truth about a simulated world: when everything was really committed, which changes each interval of each
 * partition holds, and so whether what was applied is what should have been (I3, P4), and how old the oldest change is
 * that a peer has not settled. It sees the databases from inside, at the moment of the deed and by true time, and the
 * engine never sees it.
 */
import { partitionOf } from '@isthmus/replication/log/partition';
import type { CountedBeat, Lsn, RecordId } from '@isthmus/replication/ports/change';
import { type Incarnation, type RegionId, sameIncarnation } from '@isthmus/replication/ports/identity';
import type {
  ApplyDecision,
  ApplyOutcome,
  ApplyTransaction,
  PositionMove,
  PositionRow,
} from '@isthmus/replication/ports/record-store';
import type { Violation } from '../checkers/history.ts';
import type { Life } from './past-lives.ts';
import type { Jump } from './region-clock.ts';
import type { SimRegion } from './sim-region.ts';
import { ToldBeats } from './told-beats.ts';

/** A database as a process has opened it. */
interface Writer {
  readonly region: SimRegion;
  readonly incarnation: Incarnation;
}

interface TrueCommit {
  readonly atMs: number;
  readonly end: Lsn;
}

interface PlacedName extends TrueCommit {
  readonly name: string;
}

interface TrueBeat extends TrueCommit {
  /** How often the clock had been set back by then: a moment alone does not say which of the two came first. */
  readonly setBacks: number;
  /** Whose connection it was written on. */
  readonly by: unknown;
}

interface Total extends TrueCommit {
  /** Changes up to here. */
  readonly total: number;
}

interface OriginTruth {
  readonly incarnation: Incarnation;
  /** For each partition, the changes in order of commit. */
  readonly changes: readonly PlacedName[][];
  readonly totals: Total[];
  readonly beats: TrueBeat[];
  count: number;
  /** Ends of beats that the log was known to hold, and since when. */
  readonly published: TrueCommit[];
  /** How much the relay's count is above the true one. */
  countedAbove: number;
}

export interface AppliedFact {
  readonly transaction: ApplyTransaction;
  readonly decision: ApplyDecision;
  readonly outcome: ApplyOutcome;
  readonly before: readonly PositionRow[];
}

/** How far a target really is behind an origin. */
export interface TrueLag {
  /** Age of the oldest change that is not settled; 0 where all are. */
  readonly oldestChangeMs: number;
  /** Age of the newest beat that is settled in all partitions and that the target was told; infinite without one. */
  readonly newestBeatMs: number;
  readonly changes: number;
  /** Of `changes`, those that have been in the database, or in the log, for so long that a number of them must hold them. */
  readonly counted: number;
  readonly published: number;
  /** Changes since that newest beat. */
  readonly sinceBeat: number;
}

/** A number of changes at the origin may be so old. */
const countedMs = 1000;
/** What the log holds is told to peers within this time, where they can be told anything: over a link as good as it gets, or not. */
export const toldMs = { atBest: 3000, usually: 6000 };

export class Oracle {
  readonly #nowMs: () => number;
  /** Of each region, its lives. */
  readonly #origins = new Map<RegionId, OriginTruth[]>();
  readonly #seen: (point: string) => void;
  readonly toldBeats = new ToldBeats((life, upTo) => this.#newestBeat(life, upTo)?.end ?? 0n);
  readonly violations: Violation[] = [];

  constructor(nowMs: () => number, seen: (point: string) => void) {
    this.#nowMs = nowMs;
    this.#seen = seen;
  }

  /** Changes that were committed anywhere. */
  get committedChanges(): number {
    return [...this.#origins.values()].flat().reduce((sum, { count }) => sum + count, 0);
  }

  /** A life whose database is an older copy takes no write any more (I11). */
  committed(
    { region, incarnation }: Writer,
    { end, ids }: { readonly end: Lsn; readonly ids: readonly RecordId[] },
  ): void {
    if (region.lives.isSetBack(incarnation))
      this.#fail('identity', region.id, 'an older copy of the database took a write');
    if ((region.row.row.drained?.beat ?? null) !== null)
      this.#fail('drain', region.id, 'took a write when all of them were said to have ended');
    const truth = this.#truthOf(region, incarnation);
    const atMs = this.#nowMs();
    for (const id of ids) {
      const partition = partitionOf(id, region.partitionCount);
      truth.changes[partition]?.push({ atMs, end, name: `${id.collection}/${id.key}` });
      truth.count++;
    }
    truth.totals.push({ atMs, end, total: truth.count });
  }

  /** A restart counts on exactly (P2); only where the slot went back or was lost may it begin above. */
  counted({ region, incarnation }: Writer, beats: readonly CountedBeat[]): void {
    const truth = this.#truthOf(region, incarnation);
    const [newest] = beats.slice(-1);
    if (newest !== undefined) truth.published.push({ atMs: this.#nowMs(), end: newest.end });
    for (const { number, end, count } of beats) {
      const total = truth.totals[firstAfter(truth.totals, end) - 1]?.total ?? 0;
      const above = (count ?? total) - total;
      if (above !== truth.countedAbove && !region.mayRecount)
        this.#fail('counts', `beat ${number} of ${region.id}`, `${count}, in truth ${total}`);
      truth.countedAbove = above;
    }
  }

  /** Written by the process whose database it is. */
  beat(by: Writer): void {
    const { region, incarnation } = by;
    const { clock, database } = region;
    const beat = { atMs: this.#nowMs(), end: database.wal.insert, setBacks: clock.setBacks.length, by };
    this.#truthOf(region, incarnation).beats.push(beat);
  }

  applied(target: SimRegion, { transaction, decision, outcome, before }: AppliedFact): void {
    if (outcome === 'fenced') this.#seen('fence used');
    if (outcome !== 'applied') return;
    const { origin, positions, ids } = transaction;
    for (const move of positions) {
      this.#checkMove(target, origin, { move, before });
      const place = { region: origin, incarnation: move.incarnation, partition: move.partition };
      this.toldBeats.brought(target.id, place, { from: move.expected, to: move.applied });
    }
    const due = new Set<string>();
    for (const move of positions) for (const name of this.#between(origin, move)) due.add(name);
    if (due.size === 0 && ids.length === 0) return;
    const brought = new Set(ids.map(({ collection, key }) => `${collection}/${key}`));
    for (const name of due)
      if (!brought.has(name)) this.#fail('applied once', name, `${target.id} skipped it`);
    for (const name of brought)
      if (!due.has(name)) this.#fail('applied once', name, `${target.id} applied it outside its interval`);
    this.refused(decision.deadLetters);
  }

  /** These are put aside: changes, or states that a transfer brought. */
  refused(letters: readonly Pick<ApplyDecision['deadLetters'][number], 'cause'>[]): void {
    for (const { cause } of letters)
      this.#seen(cause === 'clock-too-far-ahead' ? 'quarantine' : 'dead letter');
  }

  /** What a later life comes after was not given here, and this is how it came to be known (P9). */
  awaited(by: 'start' | 'transfer'): void {
    this.#seen(`past awaited: ${by}`);
  }

  /** Nothing may be called settled that lies at or beyond a change that was put aside (P4). */
  putAside(target: SimRegion, letters: ApplyDecision['deadLetters'], rows: readonly PositionRow[]): void {
    for (const { partition, lsn } of letters)
      for (const row of rows)
        if (row.partition === partition && row.settled >= lsn)
          this.#fail(
            'settled',
            `${target.id} of ${row.origin}/${partition}`,
            `${row.settled}, put aside ${lsn}`,
          );
  }

  /** Changes that committed in this time. */
  changesIn(
    { region, incarnation }: Life,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  ): number {
    const changes = this.#known({ region, incarnation })?.changes ?? [];
    return changes.flat().filter(({ atMs }) => atMs >= fromMs && atMs <= toMs).length;
  }

  /**
   * By how much the origin's own RPO may be too low, of what it has written since: a process that did not write the beat
   * before its clock was set back cannot tell that from the time between the two (0030). `setBacks` holds all from the
   * first one on.
   */
  hiddenMs({ region, incarnation }: Life, setBacks: readonly Jump[], sinceMs: number): number {
    const beats = this.#known({ region, incarnation })?.beats ?? [];
    const hidden = setBacks.map(({ atMs, byMs }, index) => {
      if (atMs < sinceMs) return 0;
      const next = beats.find((beat) => beat.setBacks > index);
      const before = beats.findLast((beat) => beat.setBacks <= index);
      if (next !== undefined && next.by === before?.by) return 0;
      return Math.min(byMs, (next?.atMs ?? this.#nowMs()) - (before?.atMs ?? sinceMs));
    });
    return hidden.reduce((sum, each) => sum + each, 0);
  }

  /** By what is really there: everything applied, up to the oldest change that was put aside. */
  async lag(
    { region: origin, incarnation }: Life,
    target: SimRegion,
    withinMs: number = toldMs.usually,
  ): Promise<TrueLag> {
    const isOfLife = (row: Pick<PositionRow, 'origin' | 'incarnation'>): boolean =>
      row.origin === origin && sameIncarnation(row.incarnation, incarnation);
    const rows = (await target.records.positions(origin)).filter(isOfLife);
    const all = await target.records.deadLetters.list({ after: null, limit: Infinity });
    const letters = all.filter(isOfLife);
    const truth = this.#known({ region: origin, incarnation });
    const nowMs = this.#nowMs();
    if (truth === undefined) return nothingTrue;
    const publishedEnd = truth.published.findLast(({ atMs }) => atMs <= nowMs - withinMs)?.end ?? 0n;
    let oldestAtMs = nowMs;
    let [changes, counted, published] = [0, 0, 0];
    let told: Lsn | null = null;
    for (const [partition, placed] of truth.changes.entries()) {
      let reach = rows.find((row) => row.partition === partition)?.applied ?? 0n;
      for (const letter of letters)
        if (letter.partition === partition && letter.lsn <= reach) reach = letter.lsn - 1n;
      const toldHere = this.toldBeats.told(target.id, { region: origin, incarnation, partition }, reach);
      if (told === null || toldHere < told) told = toldHere;
      const first = firstAfter(placed, reach);
      changes += placed.length - first;
      for (const { atMs, end } of placed.slice(first)) {
        if (atMs <= nowMs - countedMs) counted++;
        if (end <= publishedEnd) published++;
      }
      oldestAtMs = Math.min(oldestAtMs, placed[first]?.atMs ?? nowMs);
    }
    const beat = this.#newestBeat({ region: origin, incarnation }, told ?? 0n);
    const before = truth.totals[firstAfter(truth.totals, beat?.end ?? 0n) - 1]?.total ?? 0;
    return {
      oldestChangeMs: nowMs - oldestAtMs,
      newestBeatMs: beat === undefined ? Infinity : nowMs - beat.atMs,
      changes,
      counted,
      published,
      sinceBeat: truth.count - before,
    };
  }

  /** How far the region's own log is behind it, by what that holds. */
  logLag({
    identity,
    reach,
  }: Pick<SimRegion, 'identity' | 'reach'>): Pick<TrueLag, 'oldestChangeMs' | 'newestBeatMs' | 'counted'> {
    const nowMs = this.#nowMs();
    const truth = this.#known(identity);
    let oldestAtMs = nowMs;
    let counted = 0;
    let held: Lsn | null = null;
    for (const [partition, placed] of (truth?.changes ?? []).entries()) {
      const to = reach.to(identity.incarnation, partition) ?? 0n;
      if (held === null || to < held) held = to;
      const missing = placed.slice(firstAfter(placed, to));
      oldestAtMs = Math.min(oldestAtMs, missing[0]?.atMs ?? nowMs);
      counted += missing.filter(({ atMs }) => atMs <= nowMs - countedMs).length;
    }
    const beat = this.#newestBeat(identity, held ?? 0n);
    const newestBeatMs = beat === undefined ? Infinity : nowMs - beat.atMs;
    return { oldestChangeMs: nowMs - oldestAtMs, newestBeatMs, counted };
  }

  /** Whether the change was really committed there. */
  isCommitted(life: Life, partition: number, { end, name }: Omit<PlacedName, 'atMs'>): boolean {
    const placed = this.#changesOf(life, partition);
    for (let index = firstAfter(placed, end - 1n); placed[index]?.end === end; index++)
      if (placed[index]?.name === name) return true;
    return false;
  }

  /** Changes of a partition beyond a position, by name and with their moments. */
  beyond(life: Life, partition: number, position: Lsn): readonly PlacedName[] {
    const placed = this.#changesOf(life, partition);
    return placed.slice(firstAfter(placed, position));
  }

  #checkMove(
    target: SimRegion,
    origin: RegionId,
    { move, before }: { readonly move: PositionMove; readonly before: readonly PositionRow[] },
  ): void {
    const place = (): string => `${target.id} of ${origin}/${move.partition}`;
    const stood = before.find(
      (row) => row.partition === move.partition && sameIncarnation(row.incarnation, move.incarnation),
    )?.applied;
    if (stood !== move.expected)
      this.#fail('fence', place(), `moved from ${stood} although it was taken for ${move.expected}`);
    if (move.applied <= move.expected) this.#fail('fence', place(), `went back to ${move.applied}`);
  }

  /** Names of the changes that the move covers. */
  #between(region: RegionId, move: PositionMove): readonly string[] {
    const { incarnation, partition, expected, applied } = move;
    const placed = this.#changesOf({ region, incarnation }, partition);
    const first = firstAfter(placed, expected);
    if (first === placed.length) return [];
    return placed.slice(first, firstAfter(placed, applied)).map(({ name }) => name);
  }

  #changesOf({ region, incarnation }: Life, partition: number): readonly PlacedName[] {
    return this.#known({ region, incarnation })?.changes[partition] ?? [];
  }

  #newestBeat(life: Life, upTo: Lsn): TrueBeat | undefined {
    const beats = this.#known(life)?.beats ?? [];
    return beats[firstAfter(beats, upTo) - 1];
  }

  #known({ region, incarnation }: Life): OriginTruth | undefined {
    return this.#origins.get(region)?.find((life) => sameIncarnation(life.incarnation, incarnation));
  }

  #truthOf(region: SimRegion, incarnation: Incarnation): OriginTruth {
    const known = this.#known({ region: region.id, incarnation });
    if (known !== undefined) return known;
    const changes = Array.from({ length: region.partitionCount }, (): PlacedName[] => []);
    const none = { totals: [], beats: [], published: [] };
    const truth = { incarnation, changes, ...none, count: 0, countedAbove: 0 };
    this.#origins.set(region.id, [...(this.#origins.get(region.id) ?? []), truth]);
    return truth;
  }

  #fail(checker: string, key: string, detail: string): void {
    this.violations.push({ checker, key, detail });
  }
}

/** Of an origin that has done nothing. */
const nothingTrue: TrueLag = {
  oldestChangeMs: 0,
  newestBeatMs: Infinity,
  changes: 0,
  counted: 0,
  published: 0,
  sinceBeat: 0,
};

/** Index of the first that lies after the position. */
function firstAfter(commits: readonly TrueCommit[], position: Lsn): number {
  const newest = commits.at(-1);
  if (newest === undefined || newest.end <= position) return commits.length;
  let low = 0;
  let high = commits.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((commits[middle]?.end ?? 0n) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}
