/** The port `VerificationStore` on Postgres: one row for each peer. */
import type { RegionId } from '../../ports/identity.ts';
import type { SweepResult, Verification, VerificationStore } from '../../ports/verification.ts';
import { textArray } from './binary-array.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { booleanAt, nullableAt, numberAt } from './row-values.ts';
import type { Call, Statement } from './session.ts';

export const selectAll: Statement = {
  name: 'isthmus_verifications',
  text: 'SELECT peer, through_ms, clean, diverged, swept_at_ms, wanted FROM isthmus.verification ORDER BY peer',
};

/** It waits for one that begins in another transaction: either that has a lower number, or it takes this wish with it. */
const wantSweeps: Statement = {
  name: 'isthmus_sweep_want',
  text: `INSERT INTO isthmus.verification (peer, wanted) SELECT peer, true FROM unnest($1::text[]) AS asked (peer)
  ON CONFLICT (peer) DO UPDATE SET wanted = true RETURNING peer, begun + 1`,
};

const beginSweep: Statement = {
  name: 'isthmus_sweep_begin',
  text: `INSERT INTO isthmus.verification AS old (peer, begun) VALUES ($1, 1)
  ON CONFLICT (peer) DO UPDATE SET begun = old.begun + 1, wanted = false RETURNING begun`,
};

const endSweep: Statement = {
  name: 'isthmus_sweep_end',
  text: `INSERT INTO isthmus.verification AS old (peer, through_ms, clean, diverged, swept_at_ms)
  VALUES ($1, CASE WHEN $3 THEN NULL ELSE $2::double precision END, CASE WHEN $3 THEN NULL ELSE $4::bigint END, $3,
    ${milliseconds('clock_timestamp()')})
  ON CONFLICT (peer) DO UPDATE SET through_ms = coalesce(excluded.through_ms, old.through_ms),
    clean = excluded.clean, diverged = excluded.diverged, swept_at_ms = excluded.swept_at_ms
  WHERE coalesce(old.clean, 0) <= $4`,
};

export class PostgresVerifications implements VerificationStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async all(): Promise<readonly Verification[]> {
    return (await this.#connections.query(selectAll)).rows.map(verificationOf);
  }

  async want(peers: readonly RegionId[]): Promise<ReadonlyMap<RegionId, number>> {
    const rows = await this.#write([wantSweeps, textArray(peers)]);
    return new Map(rows.map((row) => [regionAt(row, 0), numberAt(row, 1)]));
  }

  async began(peer: RegionId): Promise<number> {
    const [row = []] = await this.#write([beginSweep, peer]);
    return numberAt(row, 0);
  }

  async ended(peer: RegionId, { sweep, startedAtMs, diverged }: SweepResult): Promise<void> {
    await this.#write([endSweep, peer, startedAtMs, diverged > 0, sweep]);
  }

  async #write(call: Call): Promise<readonly Row[]> {
    return (await this.#connections.write((session) => session.query(...call))).rows;
  }
}

export function verificationOf(row: Row): Verification {
  return {
    peer: regionAt(row, 0),
    throughMs: nullableAt(row, 1, numberAt),
    cleanSweep: nullableAt(row, 2, numberAt),
    diverged: nullableAt(row, 3, booleanAt),
    sweptAtMs: nullableAt(row, 4, numberAt),
    isWanted: booleanAt(row, 5),
  };
}
