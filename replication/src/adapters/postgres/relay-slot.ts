/**
 * The publication and the replication slot that the relay reads through. They are made once, before the first write
 * of a fresh database is accepted, so that the slot holds every change there ever was. A slot that is lost later is
 * made again only by `slot-life.ts`, which notes where the new one begins: else it would hide the changes between the
 * two (I3).
 */
import { ReplicationError } from '../../errors.ts';
import type { SlotHealth } from '../../ports/slot-health.ts';
import { slotLock } from './advisory-keys.ts';
import { misconfigured } from './postgres-error.ts';
import type { Row } from './row-values.ts';
import { booleanAt, nullableAt, numberAt, textAt } from './row-values.ts';
import type { Patience, Session, Statement } from './session.ts';

export const defaultSlotName = 'isthmus_relay';
/** Names no table: logical messages reach a subscriber whatever its publication holds. */
export const publicationName = 'isthmus_relay';

const takeLock: Statement = { name: 'isthmus_slot_lock', text: 'SELECT pg_advisory_lock($1, $2)' };

/**
 * A slot begins only where every transaction that was writing in the cluster has ended, and those that began meanwhile
 * too: several times as long as the longest takes. A try that is given up earlier begins that wait anew.
 */
export const slotWaitMs = 600_000;

const slotsSurviveFailoverFrom = 170_000;

interface Slot {
  readonly ownDatabase: boolean;
  readonly database: string | null;
  readonly active: boolean;
  readonly walStatus: string | null;
}

const selectSlot = {
  name: 'isthmus_slot',
  text: `SELECT coalesce(database = current_database(), false), database::text, active, wal_status
  FROM pg_replication_slots WHERE slot_name = $1`,
};

/**
 * A slot left behind by an earlier life of this database, or invalidated, is replaced. Nobody else makes it meanwhile, by
 * a lock that the caller holds. Rejects with `slot-held`, with `overloaded` where transactions take longer than we wait,
 * and with `database-unavailable` where the wait was ended.
 */
export async function createSlot(session: Session, slotName: string, patience: Patience): Promise<void> {
  await removeLeftover(session, slotName);
  await createPublication(session);
  const version = await session.query({
    name: null,
    text: "SELECT current_setting('server_version_num')::int",
  });
  const survives = numberAt(version.rows[0] ?? [], 0) >= slotsSurviveFailoverFrom;
  await session.wait(
    patience,
    {
      name: 'isthmus_slot_create',
      text: `SELECT pg_create_logical_replication_slot($1, 'pgoutput', false, false${survives ? ', true' : ''})`,
    },
    slotName,
  );
}

/** For as long as the session lives: two that make the slot anew at once would take each other's away. */
export function lockSlot(session: Session, patience: Patience): Promise<void> {
  return session.wait(patience, takeLock, ...slotLock);
}

/** What an operator should know about the slot of a database that is in use; `null`: nothing. */
export async function slotWarning(session: Session, slotName: string): Promise<string | null> {
  const slot = await findSlot(session, slotName);
  if (slot === null || !slot.ownDatabase)
    return `replication slot "${slotName}" of this database is lost: the relay makes it anew, and peers fetch what it had not read`;
  if (slot.walStatus === 'lost')
    return `replication slot "${slotName}" was invalidated and is lost: the relay makes it anew, and peers fetch what it had not read`;
  return null;
}

/** Whether the slot is there and still holds what it needs. */
export async function isSlotSound(session: Session, slotName: string): Promise<boolean> {
  const slot = await findSlot(session, slotName);
  return slot !== null && slot.ownDatabase && slot.walStatus !== null && slot.walStatus !== 'lost';
}

/** The setting is in megabytes, -1 where there is no limit. */
const selectHealth = {
  name: 'isthmus_slot_health',
  text: `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn)::float8, wal_status, safe_wal_size::float8,
    nullif(setting::float8, -1) * 1024 * 1024
  FROM pg_settings LEFT JOIN pg_replication_slots ON slot_name = $1 WHERE name = 'max_slot_wal_keep_size'`,
};

const walStatuses = ['reserved', 'extended', 'unreserved', 'lost'] as const;

export async function slotHealth(session: Session, slotName: string): Promise<SlotHealth> {
  const answer = await session.query(selectHealth, slotName);
  const row = answer.rows[0] ?? [null, null, null, null];
  const status = nullableAt(row, 1, textAt);
  return {
    retainedBytes: nullableAt(row, 0, numberAt),
    walStatus: walStatuses.find((known) => known === status) ?? null,
    safeBytes: nullableAt(row, 2, numberAt),
    limitBytes: nullableAt(row, 3, numberAt),
  };
}

async function removeLeftover(session: Session, slotName: string): Promise<void> {
  const slot = await findSlot(session, slotName);
  if (slot === null) return;
  if (!slot.ownDatabase) {
    throw misconfigured(
      `replication slot "${slotName}" belongs to ${slot.database ?? 'physical replication'}: give this region another slot name`,
    );
  }
  if (slot.active) {
    throw new ReplicationError(
      'slot-held',
      `replication slot "${slotName}" is in use and cannot be replaced`,
      {
        retriable: true,
      },
    );
  }
  await session.query({ name: 'isthmus_slot_drop', text: 'SELECT pg_drop_replication_slot($1)' }, slotName);
}

async function createPublication(session: Session): Promise<void> {
  const found = await session.query({
    name: null,
    text: `SELECT FROM pg_publication WHERE pubname = '${publicationName}'`,
  });
  if (found.rowCount > 0) return;
  await session.query({
    name: null,
    text: `CREATE PUBLICATION ${publicationName}`,
  });
}

async function findSlot(session: Session, slotName: string): Promise<Slot | null> {
  const answer = await session.query(selectSlot, slotName);
  const row = answer.rows[0];
  return row === undefined ? null : slotOf(row);
}

function slotOf(row: Row): Slot {
  return {
    ownDatabase: booleanAt(row, 0),
    database: nullableAt(row, 1, textAt),
    active: booleanAt(row, 2),
    walStatus: nullableAt(row, 3, textAt),
  };
}
