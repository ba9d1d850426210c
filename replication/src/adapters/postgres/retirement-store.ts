/**
 * The port `RetirementStore` on Postgres. Closing changes the position rows themselves, so an applier that waits for one
 * of them meanwhile finds that it no longer stands as expected, and is fenced like by any other. It also waits for
 * whoever reads the table of closed regions for what is being written: rows that are being opened and states that a
 * transfer merges (`closed-donor.ts`). Closing and retiring come one after the other, so whoever retires knows for sure
 * which regions are closed.
 */
import type { RegionId } from '../../ports/identity.ts';
import type { Agreement, Retirement, RetirementStore } from '../../ports/retirement-store.ts';
import type { Vector } from '../../ports/vector.ts';
import { decodeVector, encodeVector } from '../../log/offer-bytes.ts';
import { fits, sameRegions } from '../../agreed.ts';
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
export const selectRetired: Statement = {
  name: 'isthmus_retired',
  text: `SELECT region, final, heir, wish, origin, incarnation_counter, incarnation_nonce, partition, settled::text
  FROM isthmus.retired LEFT JOIN isthmus.position ON origin = region
  ORDER BY region, incarnation_counter, incarnation_nonce, partition`,
};

/** Those who only read are not kept waiting. */
const lockRetired: Statement = { name: null, text: 'LOCK TABLE isthmus.retired IN EXCLUSIVE MODE' };

const selectAgreed: Statement = {
  name: 'isthmus_retired_agreed',
  text: 'SELECT region, final, heir FROM isthmus.retired ORDER BY region',
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
  text: 'INSERT INTO isthmus.retired (region, wish) VALUES ($1, $2) ON CONFLICT DO NOTHING',
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
    return retirementsOf((await this.#connections.query(selectRetired)).rows);
  }

  async position(region: RegionId): Promise<Vector> {
    return appliedIn((await this.#connections.query(selectReached, region)).rows);
  }

  close(region: RegionId, wish: RegionId | null): Promise<Vector> {
    return this.#transact(async (session) => {
      const sent = [
        [begin],
        [lockRetired],
        [insertRetired, region, wish],
        [closePositions, region],
        [selectReached, region],
      ] as const;
      const answers = await session.pipeline(sent);
      await commitWith(session, { before: [], after: [] });
      return appliedIn(answers.at(-1)?.rows ?? []);
    });
  }

  retire(region: RegionId, agreed: Agreement, closed: readonly RegionId[]): Promise<boolean> {
    return this.#transact(async (session) => {
      const [, , found, reached] = await session.pipeline([
        [begin],
        [lockRetired],
        [selectAgreed],
        [selectReached, region],
      ]);
      const rows = found?.rows ?? [];
      const row = rows.find((each) => regionAt(each, 0) === region);
      const areThese = sameRegions(
        rows.map((each) => regionAt(each, 0)),
        closed,
      );
      const isBeyond = lacking(agreed.final, appliedIn(reached?.rows ?? [])) !== null;
      if (row === undefined || !areThese || isBeyond || !fits(agreed, agreedIn(row))) {
        await session.rollback();
        return false;
      }
      const final = encodeVector(agreed.final);
      await commitWith(session, { before: [[setFinal, region, final, agreed.heir]], after: [] });
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

/** Of the rows of `selectRetired`. */
export function retirementsOf(rows: readonly Row[]): readonly Retirement[] {
  const byRegion = new Map<RegionId, Row[]>();
  for (const row of rows) {
    const region = regionAt(row, 0);
    byRegion.set(region, [...(byRegion.get(region) ?? []), row]);
  }
  return [...byRegion].map(([region, found]) => retirementOf(region, found));
}

function retirementOf(region: RegionId, rows: readonly Row[]): Retirement {
  const first = rows[0] ?? [];
  const { final, heir } = agreedIn(first);
  const wish = nullableAt(first, 3, regionAt);
  if (final === null) return { region, wish, final: null, heir: null, isReached: false };
  const settled = rows.flatMap((row) => nullableAt(row, 4, () => entryAt(row, 4)) ?? []);
  return { region, wish, final, heir, isReached: lacking(settled, final) === null };
}

/** From a row that begins with region, final vector and heir. */
function agreedIn(row: Row): Pick<Retirement, 'final' | 'heir'> {
  const bytes = nullableAt(row, 1, bytesAt);
  return { final: bytes === null ? null : decodeVector(bytes), heir: nullableAt(row, 2, regionAt) };
}

function appliedIn(rows: readonly Row[]): Vector {
  return rows.map((row) => entryAt(row, 0));
}
