/**
 * The one row that says which region and incarnation a database belongs to, and the server that it was last proven
 * on (P1). It is written once, when the database is fresh; a region never takes over the row of another.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { Incarnation, RegionId } from '../../ports/identity.ts';
import { parseRegionId } from '../../ports/identity.ts';
import type { Lineage } from '../../ports/identity-store.ts';
import type { Life } from './continuity.ts';
import { databaseUnavailable } from './postgres-error.ts';
import type { Row } from './row-values.ts';
import { booleanAt, nullableAt, numberAt, textAt } from './row-values.ts';
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

/** Of the identity row. Another system was started at another moment, so that its name need not be read from a file. */
export const isProvenNow = `(held IS NULL AND timeline = ${currentTimeline}
  AND postmaster_started_at = pg_postmaster_start_time())`;

export const selectLineage: Statement = {
  name: null,
  text: `SELECT pg_is_in_recovery(), (SELECT system_identifier::text FROM pg_control_system()),
  ${currentTimeline}, ${currentStart}`,
};

export const selectIdentity: Statement = {
  name: null,
  text: `SELECT region, incarnation_counter, incarnation_nonce, partition_count,
  system_identifier, timeline, extract(epoch FROM postmaster_started_at)::text, held,
  relearning_since IS NOT NULL AND NOT relearning_open,
  drained_since IS NOT NULL
  FROM isthmus.identity`,
};

export const insertIdentity: Statement = {
  name: 'isthmus_identity_insert',
  text: `INSERT INTO isthmus.identity (region, incarnation_counter, incarnation_nonce, partition_count,
  system_identifier, timeline, postmaster_started_at, joining)
  VALUES ($1, $2, $3, $4, $5, $6, pg_postmaster_start_time(), true)`,
};

/** Only on the very server that was compared, and only where no other process has recorded it yet. */
export const recordProof: Statement = {
  name: 'isthmus_identity_prove',
  text: `UPDATE isthmus.identity SET timeline = $1, postmaster_started_at = pg_postmaster_start_time()
  WHERE held IS NULL AND ${currentTimeline} = $1 AND ${currentStart} = $2`,
};

/** What is half filled stays closed to local writes: no word makes that whole. */
export const recordAcceptance: Statement = {
  name: 'isthmus_identity_accept',
  text: `UPDATE isthmus.identity SET held = NULL,
    relearning_since = CASE WHEN EXISTS (SELECT FROM isthmus.refill WHERE unfilled) THEN relearning_since END,
    claim_counter = NULL, claim_nonce = NULL,
    timeline = ${currentTimeline},
    system_identifier = (SELECT system_identifier FROM pg_control_system()),
    postmaster_started_at = pg_postmaster_start_time()`,
};

/** Every other connection of ours ends, and reads the identity row when it comes back. */
const endOf = (
  changed: string,
): string => `SELECT count(pg_terminate_backend(pid)) FROM ${changed}, pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND application_name = 'isthmus'
    AND pid <> pg_backend_pid()`;

/** The first reason stays, unless this is the last word. */
export const recordHold: Statement = {
  name: 'isthmus_identity_hold',
  text: `WITH held AS (UPDATE isthmus.identity SET held = CASE WHEN $2 THEN $1 ELSE coalesce(held, $1) END
    RETURNING one) ${endOf('held')}`,
};

/** Not where local writes are taken again by now. The row is written, so that a word to join comes before it or after. */
export const endDrained: Statement = {
  name: 'isthmus_drain_end',
  text: `WITH drained AS (UPDATE isthmus.identity SET drained_since = drained_since WHERE drained_since IS NOT NULL
    RETURNING one) ${endOf('drained')}`,
};

export const endOthers: Statement = { name: 'isthmus_identity_end', text: endOf('(SELECT) AS one') };

export const selectClaim: Statement = {
  name: 'isthmus_identity_claim',
  text: `SELECT claim_counter, claim_nonce FROM isthmus.identity WHERE claim_counter IS NOT NULL`,
};

/**
 * A higher counter replaces what was noted; of two for one counter the first stays. Nothing is noted that the database
 * has become already: another process was quicker.
 */
export const recordClaim: Statement = {
  name: 'isthmus_identity_claim_note',
  text: `UPDATE isthmus.identity SET
    claim_nonce = CASE WHEN incarnation_counter >= $1 OR claim_counter >= $1 THEN claim_nonce ELSE $2 END,
    claim_counter = CASE WHEN incarnation_counter >= $1 THEN claim_counter ELSE greatest(claim_counter, $1) END
    RETURNING CASE WHEN incarnation_counter >= $1 THEN incarnation_counter ELSE claim_counter END,
      CASE WHEN incarnation_counter >= $1 THEN incarnation_nonce ELSE claim_nonce END`,
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
    held: nullableAt(row, 7, textAt),
    isClosedToWrites: booleanAt(row, 8),
    isDrained: booleanAt(row, 9),
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
