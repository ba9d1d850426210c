/**
 * Looks at a database before anything is written to it and says what must be changed so that a region can live on
 * it. All that is wrong is named at once, with the command that mends it. What is dangerous but may be meant is a
 * warning and never stops the start.
 */
import { assert } from '../../errors.ts';
import { databaseUnavailable, misconfigured } from './postgres-error.ts';
import type { Row } from './row-values.ts';
import { booleanAt, numberAt, textAt } from './row-values.ts';
import type { Session } from './session.ts';

/** The first that says why a slot was invalidated, and that keeps slots through a failover. */
const oldestVersion = 170_000;
const unlimited = '-1';

/** What a server and a role bring along. */
interface Facts {
  readonly inRecovery: boolean;
  readonly versionNumber: number;
  readonly encoding: string;
  readonly walLevel: string;
  readonly maxSlotWalKeepSize: string;
  readonly fsync: string;
  readonly fullPageWrites: string;
  readonly role: string;
  readonly mayReplicate: boolean;
  readonly mayEmit: boolean;
}

/** On managed Postgres the right to replicate is a role of the provider's instead of an attribute. */
const factsSql = `SELECT pg_is_in_recovery(), current_setting('server_version_num')::int,
  current_setting('server_encoding'), current_setting('wal_level'), current_setting('max_slot_wal_keep_size'),
  current_setting('fsync'), current_setting('full_page_writes'), current_user::text,
  (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user) OR EXISTS (
    SELECT FROM pg_roles WHERE rolname = 'rds_replication' AND pg_has_role(current_user, oid, 'member')),
  (SELECT bool_and(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc WHERE proname = 'pg_logical_emit_message')`;

/** Returns the warnings. Rejects with `database-misconfigured`, or `database-unavailable` on a standby. */
export async function preflight(session: Session): Promise<readonly string[]> {
  const answer = await session.query({ name: null, text: factsSql });
  const row = answer.rows[0];
  assert(row !== undefined, 'no facts');
  const facts = factsOf(row);
  if (facts.inRecovery) throw databaseUnavailable('this Postgres is a standby in recovery');
  const problems = problemsOf(facts);
  if (problems.length > 0) throw misconfigured(problems.join('; '));
  return warningsOf(facts);
}

function factsOf(row: Row): Facts {
  return {
    inRecovery: booleanAt(row, 0),
    versionNumber: numberAt(row, 1),
    encoding: textAt(row, 2),
    walLevel: textAt(row, 3),
    maxSlotWalKeepSize: textAt(row, 4),
    fsync: textAt(row, 5),
    fullPageWrites: textAt(row, 6),
    role: textAt(row, 7),
    mayReplicate: booleanAt(row, 8),
    mayEmit: booleanAt(row, 9),
  };
}

function problemsOf(facts: Facts): readonly string[] {
  const problems: string[] = [];
  if (facts.versionNumber < oldestVersion) {
    problems.push(`Postgres ${Math.floor(facts.versionNumber / 10_000)} is too old: use 17 or newer`);
  }
  if (facts.encoding !== 'UTF8') {
    problems.push(`the database's encoding is ${facts.encoding}: create it with ENCODING 'UTF8'`);
  }
  if (facts.walLevel !== 'logical') {
    problems.push(
      `wal_level is "${facts.walLevel}": run ALTER SYSTEM SET wal_level = 'logical' and restart Postgres`,
    );
  }
  if (!facts.mayReplicate) {
    problems.push(`role "${facts.role}" may not replicate: run ALTER ROLE "${facts.role}" REPLICATION`);
  }
  if (!facts.mayEmit) {
    problems.push(
      `role "${facts.role}" may not call pg_logical_emit_message: run GRANT EXECUTE on it to "${facts.role}"`,
    );
  }
  return problems;
}

function warningsOf(facts: Facts): readonly string[] {
  const warnings: string[] = [];
  if (facts.maxSlotWalKeepSize === unlimited) {
    warnings.push(
      'max_slot_wal_keep_size is unlimited: a relay that stands still fills the disk with retained WAL',
    );
  }
  if (facts.fsync !== 'on') {
    warnings.push(`fsync is "${facts.fsync}": a crash of the machine loses acknowledged writes`);
  }
  if (facts.fullPageWrites !== 'on') {
    warnings.push(
      `full_page_writes is "${facts.fullPageWrites}": a crash of the machine may corrupt the database`,
    );
  }
  return warnings;
}
