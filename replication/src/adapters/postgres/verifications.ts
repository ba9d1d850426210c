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
  text: 'SELECT peer, through_ms, diverged, swept_at_ms, wanted FROM isthmus.verification ORDER BY peer',
};

const wantSweeps: Statement = {
  name: 'isthmus_sweep_want',
  text: `INSERT INTO isthmus.verification (peer, wanted) SELECT peer, true FROM unnest($1::text[]) AS asked (peer)
  ON CONFLICT (peer) DO UPDATE SET wanted = true`,
};

const beginSweep: Statement = {
  name: 'isthmus_sweep_begin',
  text: 'UPDATE isthmus.verification SET wanted = false WHERE peer = $1',
};

const endSweep: Statement = {
  name: 'isthmus_sweep_end',
  text: `INSERT INTO isthmus.verification AS old (peer, through_ms, diverged, swept_at_ms)
  VALUES ($1, CASE WHEN $3 THEN NULL ELSE $2::double precision END, $3, ${milliseconds('clock_timestamp()')})
  ON CONFLICT (peer) DO UPDATE SET through_ms = coalesce(excluded.through_ms, old.through_ms),
    diverged = excluded.diverged, swept_at_ms = excluded.swept_at_ms`,
};

export class PostgresVerifications implements VerificationStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async all(): Promise<readonly Verification[]> {
    return (await this.#connections.query(selectAll)).rows.map(verificationOf);
  }

  async want(peers: readonly RegionId[]): Promise<void> {
    await this.#write([wantSweeps, textArray(peers)]);
  }

  async began(peer: RegionId): Promise<void> {
    await this.#write([beginSweep, peer]);
  }

  async ended(peer: RegionId, { startedAtMs, diverged }: SweepResult): Promise<void> {
    await this.#write([endSweep, peer, startedAtMs, diverged > 0]);
  }

  async #write(call: Call): Promise<void> {
    await this.#connections.write((session) => session.query(...call));
  }
}

export function verificationOf(row: Row): Verification {
  return {
    peer: regionAt(row, 0),
    throughMs: nullableAt(row, 1, numberAt),
    diverged: nullableAt(row, 2, booleanAt),
    sweptAtMs: nullableAt(row, 3, numberAt),
    isWanted: booleanAt(row, 4),
  };
}
