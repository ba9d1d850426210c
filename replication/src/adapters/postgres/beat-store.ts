/**
 * The port `BeatStore` on Postgres. Every process of the region reads the same figures from the same tables; what the
 * relay counted and what peers told is durable before the call returns. It invents no time: every `at` is the
 * database clock's when the beat was written.
 */
import type { BeatHold, BeatStore, HeardBeat, Overview, PeerProgress } from '../../ports/beat-store.ts';
import type { CountedBeat, Lsn } from '../../ports/change.ts';
import type { Incarnation, RegionId } from '../../ports/identity.ts';
import type { PositionRow } from '../../ports/record-store.ts';
import { milliseconds, ownBeatsOf, rpoFiguresOf, selectOwnBeats, selectRpoFigures } from './beat-figures.ts';
import { BeatClock } from '../beat-clock.ts';
import { PostgresBeatHold } from './beat-hold.ts';
import { pruneBeats } from './beat-prune.ts';
import { isOneOf, lifeAt, selectAwaited } from './awaited-past.ts';
import { textArray } from './binary-array.ts';
import { commitWith } from './commit.ts';
import type { Connections } from './connections.ts';
import {
  heardOf,
  progressOf,
  selectHeard,
  selectProgress,
  storeHeardBeat,
  storeProgress,
} from './peer-progress.ts';
import { positionOf, selectAllPositions } from './positions.ts';
import { nullableAt, numberAt } from './row-values.ts';
import type { Row } from './row-values.ts';
import type { Answer, Call, Statement } from './session.ts';
import { begin } from './session.ts';
import { formatLsn } from './wal-message.ts';

export interface BeatStoreOptions {
  readonly incarnation: Incarnation;
  /** Peers whose progress is waited for, also those that were never heard. */
  readonly peers: readonly RegionId[];
}

/** A beat that was pruned before the relay came to it is put back. */
const storeBeat: Statement = {
  name: 'isthmus_beat_store',
  text: `INSERT INTO isthmus.beat (number, lsn, at, count, end_lsn, published, set_back_ms)
  VALUES ($1, $2::pg_lsn, to_timestamp($3::double precision / 1000), $4, $5::pg_lsn, true,
    coalesce((SELECT set_back_ms FROM isthmus.beat WHERE number < $1 ORDER BY number DESC LIMIT 1), 0))
  ON CONFLICT (number) DO UPDATE SET count = excluded.count, end_lsn = excluded.end_lsn, published = true`,
};

export const selectCountAt: Statement = {
  name: 'isthmus_beat_count_at',
  text: 'SELECT count FROM isthmus.beat WHERE end_lsn = $1::pg_lsn ORDER BY number DESC LIMIT 1',
};

const selectBeatAt: Statement = {
  name: 'isthmus_beat_at',
  text: `SELECT ${milliseconds('at')} FROM isthmus.beat WHERE number = $1`,
};

/** Its time is by the clock as if that had never been set back. */
const selectNewest: Statement = {
  name: 'isthmus_beat_seen',
  text: `SELECT number, ${milliseconds('at')} + set_back_ms FROM isthmus.beat ORDER BY number DESC LIMIT 1`,
};

/** Nothing but a commit record that waits for the disk. */
const flush: Statement = {
  name: 'isthmus_flush',
  text: "SELECT pg_logical_emit_message(true, 'isthmus.flush', '')",
};

/** A life is awaited before it has a position, so it is looked for after those. */
const selectTold: readonly Call[] = [[selectAllPositions], [selectAwaited]];

export class PostgresBeatStore implements BeatStore {
  readonly #connections: Connections;
  readonly #own: Incarnation;
  readonly #peers: readonly RegionId[];
  readonly #clock = new BeatClock(() => performance.now());

  constructor(connections: Connections, options: BeatStoreOptions) {
    this.#connections = connections;
    this.#own = options.incarnation;
    this.#peers = options.peers;
  }

  async tryHold(): Promise<BeatHold | null> {
    return PostgresBeatHold.tryTake(this.#connections, this.#clock);
  }

  async look(): Promise<void> {
    await this.#clock.look(async () => {
      const [row] = (await this.#connections.query(selectNewest)).rows;
      return row === undefined ? null : { number: numberAt(row, 0), unsetMs: numberAt(row, 1) };
    });
  }

  async storePublished(beats: readonly CountedBeat[]): Promise<void> {
    await this.#commit(beats.map(storeCall));
  }

  async countAt(end: Lsn): Promise<number | null> {
    const answer = await this.#connections.query(selectCountAt, formatLsn(end));
    return nullableAt(answer.rows[0] ?? [null], 0, numberAt);
  }

  async storePeerProgress(progress: PeerProgress): Promise<void> {
    await this.#commit([storeProgress(this.#own, progress)]);
  }

  /** Whatever a statement can see has its commit record before that of its own transaction. */
  async storeHeard(heard: readonly HeardBeat[]): Promise<readonly PositionRow[]> {
    const sorted = heard.toSorted((a, b) => (a.origin < b.origin ? -1 : 1));
    const stored: readonly Call[] = sorted.length === 0 ? [[flush]] : sorted.map(storeHeardBeat);
    const answers = await this.#commit([...stored, ...selectTold]);
    const [positions, awaited] = answers.slice(-2).map(({ rows }) => rows);
    return toldOf(positions ?? [], awaited ?? []);
  }

  async overview(): Promise<Overview> {
    const own = [this.#own.counter, this.#own.nonce] as const;
    const calls: readonly Call[] = [
      [selectRpoFigures, textArray(this.#peers), ...own],
      [selectOwnBeats, ...own],
      [selectHeard],
      [selectProgress, ...own],
      ...selectTold,
    ];
    const answers = await this.#connections.read((session) => session.pipeline(calls));
    const all = answers.map(({ rows }) => rows);
    const [rpo = [], beats = [], heard = [], progress = [], positions = [], awaited = []] = all;
    return {
      rpo: rpo.map(rpoFiguresOf),
      own: ownBeatsOf(beats[0] ?? []),
      heard: heard.map(heardOf),
      progress: progress.map(progressOf),
      positions: toldOf(positions, awaited),
    };
  }

  async beatAtMs(number: number): Promise<number | null> {
    const answer = await this.#connections.query(selectBeatAt, number);
    return nullableAt(answer.rows[0] ?? [null], 0, numberAt);
  }

  async prune(): Promise<number> {
    const answer = await this.#connections.write((session) =>
      session.query(pruneBeats, textArray(this.#peers)),
    );
    return answer.rowCount;
  }

  async #commit(calls: readonly Call[]): Promise<readonly Answer[]> {
    if (calls.length === 0) return [];
    return this.#connections.transact((session) =>
      commitWith(session, { before: [[begin], ...calls], after: [] }),
    );
  }
}

/** Lives whose past is awaited have settled no beat. */
function toldOf(positions: readonly Row[], awaited: readonly Row[]): readonly PositionRow[] {
  const lives = awaited.map((row) => lifeAt(row, 0));
  return positions.map(positionOf).map((row) => {
    const { origin: region, incarnation } = row;
    return isOneOf(lives, { region, incarnation }) ? { ...row, beat: null } : row;
  });
}

function storeCall(beat: CountedBeat): Call {
  return [storeBeat, beat.number, formatLsn(beat.lsn), beat.atMs, beat.count, formatLsn(beat.end)];
}
