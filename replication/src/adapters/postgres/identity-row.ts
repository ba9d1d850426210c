/**
 * The one row that says which region and incarnation a database belongs to, and the server that it was last proven
 * on (P1). It is written once, when the database is fresh; a region never takes over the row of another.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { Incarnation, RegionId } from '../../ports/identity.ts';
import { parseRegionId } from '../../ports/identity.ts';
import type { Life, Lineage } from './continuity.ts';
import { databaseUnavailable } from './postgres-error.ts';
import type { Row } from './row-values.ts';
import { booleanAt, numberAt, textAt } from './row-values.ts';
import type { Statement } from './session.ts';

export interface Identity {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly partitionCount: number;
}

/** The timeline in use: the control file's is that of the last checkpoint, which lags behind a promotion. */
const currentTimeline = `CASE WHEN pg_is_in_recovery() THEN 0
  ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END`;
const currentStart = `extract(epoch FROM pg_postmaster_start_time())::text`;

export const selectLineage: Statement = {
  name: null,
  text: `SELECT pg_is_in_recovery(), (SELECT system_identifier::text FROM pg_control_system()),
  ${currentTimeline}, ${currentStart}`,
};

export const selectIdentity: Statement = {
  name: null,
  text: `SELECT region, incarnation_counter, incarnation_nonce, partition_count,
  system_identifier, timeline, extract(epoch FROM postmaster_started_at)::text
  FROM isthmus.identity`,
};

export const insertIdentity: Statement = {
  name: 'isthmus_identity_insert',
  text: `INSERT INTO isthmus.identity (region, incarnation_counter, incarnation_nonce, partition_count,
  system_identifier, timeline, postmaster_started_at)
  VALUES ($1, $2, $3, $4, $5, $6, pg_postmaster_start_time())`,
};

/** Only where another process has not recorded the same restart yet. */
export const recordRestart: Statement = {
  name: null,
  text: `UPDATE isthmus.identity SET postmaster_started_at = pg_postmaster_start_time()
  WHERE postmaster_started_at <> pg_postmaster_start_time()`,
};

/** Rejects a standby: it may be behind, and it cannot write. */
export function lineageOf(row: Row | undefined): Lineage {
  assert(row !== undefined, 'no lineage');
  if (booleanAt(row, 0)) throw databaseUnavailable('this Postgres is a standby in recovery');
  return {
    systemIdentifier: textAt(row, 1),
    timeline: numberAt(row, 2),
    postmasterStart: textAt(row, 3),
  };
}

export function identityOf(row: Row): Identity {
  const name = textAt(row, 0);
  const region = parseRegionId(name);
  if (region === null) throw identityMismatch(`the identity row holds the region name "${name}"`);
  return {
    region,
    incarnation: incarnationOf(row),
    partitionCount: numberAt(row, 3),
  };
}

export function lifeOf(row: Row): Life {
  return {
    incarnation: incarnationOf(row),
    lineage: {
      systemIdentifier: textAt(row, 4),
      timeline: numberAt(row, 5),
      postmasterStart: textAt(row, 6),
    },
  };
}

function incarnationOf(row: Row): Incarnation {
  return { counter: numberAt(row, 1), nonce: numberAt(row, 2) };
}

export function identityMismatch(message: string): ReplicationError {
  return new ReplicationError('identity-mismatch', message, {
    retriable: false,
  });
}
