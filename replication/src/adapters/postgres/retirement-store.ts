/**
 * The port `RetirementStore` on Postgres. Closing changes the position rows themselves, so an applier that waits for one
 * of them meanwhile finds that it no longer stands as expected, and is fenced like by any other.
 */
import type { RegionId } from '../../ports/identity.ts';
import type { Agreement, Retirement, RetirementStore } from '../../ports/retirement-store.ts';
import type { Vector } from '../../ports/vector.ts';
import { decodeVector, encodeVector } from '../../log/offer-bytes.ts';
import { lacking } from '../../vector.ts';
import { commitWith } from './commit.ts';
import type { Connections } from './connections.ts';
import { regionAt } from './positions.ts';
import { harmless } from './remote-apply.ts';
import type { Row } from './row-values.ts';
import { bytesAt, nullableAt } from './row-values.ts';
import type { Session, Statement } from './session.ts';
import { begin } from './session.ts';
import { entryAt } from './vector-columns.ts';

/** A row for each partition that the region has a position of, and one for a region without any. */
const selectRetired: Statement = {
  name: 'isthmus_retired',
  text: `SELECT region, final, heir, origin, incarnation_counter, incarnation_nonce, partition, settled::text
  FROM isthmus.retired LEFT JOIN isthmus.position ON origin = region
  ORDER BY region, incarnation_counter, incarnation_nonce, partition`,
};

const selectOne: Statement = {
  name: 'isthmus_retired_one',
  text: 'SELECT region, final, heir FROM isthmus.retired WHERE region = $1 FOR UPDATE',
};

const selectReached: Statement = {
  name: 'isthmus_retired_reached',
  text: `SELECT origin, incarnation_counter, incarnation_nonce, partition, applied::text
  FROM isthmus.position WHERE origin = $1 ORDER BY incarnation_counter, incarnation_nonce, partition`,
};

const closePositions: Statement = {
  name: 'isthmus_positions_close',
  text: 'UPDATE isthmus.position SET closed = true WHERE origin = $1',
};

const insertRetired: Statement = {
  name: 'isthmus_retired_insert',
  text: 'INSERT INTO isthmus.retired (region) VALUES ($1) ON CONFLICT DO NOTHING',
};

const setFinal: Statement = {
  name: 'isthmus_retired_final',
  text: `UPDATE isthmus.retired SET final = $2, heir = $3, retired_at = coalesce(retired_at, clock_timestamp())
  WHERE region = $1`,
};

export class PostgresRetirementStore implements RetirementStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async all(): Promise<readonly Retirement[]> {
    const { rows } = await this.#connections.query(selectRetired);
    const byRegion = new Map<RegionId, Row[]>();
    for (const row of rows) {
      const region = regionAt(row, 0);
      byRegion.set(region, [...(byRegion.get(region) ?? []), row]);
    }
    return [...byRegion].map(([region, found]) => retirementOf(region, found));
  }

  async position(region: RegionId): Promise<Vector> {
    return appliedIn((await this.#connections.query(selectReached, region)).rows);
  }

  close(region: RegionId): Promise<Vector> {
    return this.#transact(async (session) => {
      const sent = [
        [begin],
        [insertRetired, region],
        [closePositions, region],
        [selectReached, region],
      ] as const;
      const answers = await session.pipeline(sent);
      await commitWith(session, { before: [], after: [] });
      return appliedIn(answers.at(-1)?.rows ?? []);
    });
  }

  retire(region: RegionId, { final, heir }: Agreement): Promise<boolean> {
    return this.#transact(async (session) => {
      const [, found, reached] = await session.pipeline([
        [begin],
        [selectOne, region],
        [selectReached, region],
      ]);
      const row = found?.rows[0];
      const known = row === undefined ? null : nullableAt(row, 1, bytesAt);
      const bytes = encodeVector(final);
      const knownHeir = row === undefined ? null : nullableAt(row, 2, regionAt);
      const isSame =
        (known === null || Buffer.compare(known, bytes) === 0) && (knownHeir === null || knownHeir === heir);
      if (row === undefined || !isSame || lacking(final, appliedIn(reached?.rows ?? [])) !== null) {
        await session.rollback();
        return false;
      }
      await commitWith(session, { before: [[setFinal, region, bytes, heir]], after: [] });
      return true;
    });
  }

  /** Doing it twice is harmless. */
  async #transact<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#connections.transact(work);
    } catch (error) {
      throw harmless(error);
    }
  }
}

function retirementOf(region: RegionId, rows: readonly Row[]): Retirement {
  const bytes = nullableAt(rows[0] ?? [], 1, bytesAt);
  if (bytes === null) return { region, final: null, heir: null, isReached: false };
  const final = decodeVector(bytes);
  const settled = rows.flatMap((row) => nullableAt(row, 3, () => entryAt(row, 3)) ?? []);
  const heir = nullableAt(rows[0] ?? [], 2, regionAt);
  return { region, final, heir, isReached: lacking(settled, final) === null };
}

function appliedIn(rows: readonly Row[]): Vector {
  return rows.map((row) => entryAt(row, 0));
}
