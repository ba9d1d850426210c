/**
 * Makes a database ready to be a region's: checked, migrated, with an identity, a publication and a slot. Several
 * processes may start at once on one database; one of them does the work under an advisory lock and the others find
 * it done. The identity row is written last and the slot before it, so a region that has an identity had a slot
 * before its first write.
 */
import { randomInt } from 'node:crypto';
import type { PoolClient } from 'pg';
import { Pool } from 'pg';
import { ReplicationError, assert } from '../../errors.ts';
import type { RegionId } from '../../ports/identity.ts';
import { bootstrapLock } from './advisory-keys.ts';
import { clientConfig } from './connections.ts';
import type { Identity } from './identity-row.ts';
import {
  identityMismatch,
  identityOf,
  insertIdentity,
  lineageOf,
  selectIdentity,
  selectLineage,
} from './identity-row.ts';
import { migrate } from './migrate.ts';
import { fromPg } from './postgres-error.ts';
import { preflight } from './preflight.ts';
import { createSlot, slotWarning } from './relay-slot.ts';
import { Session } from './session.ts';
import { noteLife } from './slot-life.ts';

const statementTimeoutMs = 60_000;
/** For an answer to come after the limit of its statement. */
const graceMs = 3_000;
const nonceLimit = 2 ** 32;

export interface BootstrapOptions {
  readonly connectionString: string;
  readonly region: RegionId;
  /** For a fresh database; an existing one keeps its own. */
  readonly partitionCount: number;
  readonly slotName: string;
}

export interface Bootstrapped {
  readonly identity: Identity;
  readonly warnings: readonly string[];
}

const lockBootstrap = {
  name: 'isthmus_bootstrap_lock',
  text: 'SELECT pg_advisory_lock($1, $2)',
};

/**
 * Rejects with `database-unavailable`, `overloaded` (another start, or a long transaction, takes too long),
 * `database-misconfigured`, `identity-mismatch` or `slot-held`.
 */
export async function bootstrap(options: BootstrapOptions): Promise<Bootstrapped> {
  const pool = new Pool({
    ...clientConfig(options.connectionString),
    max: 1,
    statement_timeout: statementTimeoutMs,
  });
  // An error can come here only after the session was dropped, when its connection is of no more interest.
  pool.on('error', () => undefined);
  try {
    const session = new Session(await connect(pool), statementTimeoutMs + graceMs);
    return await prepare(session, options).finally(() => session.drop());
  } finally {
    await pool.end();
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw fromPg(error);
  }
}

async function prepare(session: Session, options: BootstrapOptions): Promise<Bootstrapped> {
  const warnings = await preflight(session);
  await session.query(lockBootstrap, ...bootstrapLock);
  await migrate(session);
  const existing = await findIdentity(session);
  if (existing === null) {
    const identity = await createIdentity(session, options);
    return { identity, warnings };
  }
  requireRegion(existing, options.region);
  const warning = await slotWarning(session, options.slotName);
  return {
    identity: existing,
    warnings: warning === null ? warnings : [...warnings, warning],
  };
}

async function createIdentity(session: Session, options: BootstrapOptions): Promise<Identity> {
  await reserveEmission(session);
  await createSlot(session, options.slotName, { limitMs: statementTimeoutMs });
  await noteLife(session, options.slotName, 'the database was fresh');
  const answer = await session.query(selectLineage);
  const lineage = lineageOf(answer.rows[0]);
  const incarnation = { counter: 1, nonce: randomInt(nonceLimit) };
  await session.query(
    insertIdentity,
    options.region,
    incarnation.counter,
    incarnation.nonce,
    options.partitionCount,
    lineage.systemIdentifier,
    lineage.timeline,
  );
  const identity = await findIdentity(session);
  assert(identity !== null, 'the identity row was just written');
  return identity;
}

async function findIdentity(session: Session): Promise<Identity | null> {
  const answer = await session.query(selectIdentity);
  const row = answer.rows[0];
  return row === undefined ? null : identityOf(row);
}

function requireRegion(identity: Identity, region: RegionId): void {
  if (identity.region === region) return;
  throw identityMismatch(
    `the database belongs to region "${identity.region}", this process is configured as "${region}"`,
  );
}

/** Takes from all other roles the right to write messages that the relay would publish, where ours may do that. */
async function reserveEmission(session: Session): Promise<void> {
  const functions = await session.query({
    name: null,
    text: `SELECT oid::regprocedure::text FROM pg_proc
    WHERE proname = 'pg_logical_emit_message' AND pg_has_role(current_user, proowner, 'usage')`,
  });
  for (const [signature] of functions.rows) {
    await session.query({
      name: null,
      text: `GRANT EXECUTE ON FUNCTION ${String(signature)} TO CURRENT_USER;
      REVOKE EXECUTE ON FUNCTION ${String(signature)} FROM PUBLIC`,
    });
  }
}

export function requirePartitionCount(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= 1024) return;
  throw new ReplicationError(
    'database-misconfigured',
    `partitionCount is ${count}: take an integer from 1 to 1024`,
    { retriable: false },
  );
}
