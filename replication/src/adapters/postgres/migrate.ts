/**
 * Brings the schema `isthmus` to the version of this program. Every migration runs once, in a transaction of its own
 * together with the row that records it; its text never changes afterwards, which a checksum proves. A database that
 * knows a migration which this program does not know is refused, because an older program cannot read it rightly.
 * The caller holds the lock that keeps other processes out.
 */
import { createHash } from 'node:crypto';
import { initial } from './migrations/0001-initial.ts';
import { incidents } from './migrations/0003-incidents.ts';
import { transfer } from './migrations/0004-transfer.ts';
import { log } from './migrations/0005-log.ts';
import { identityHold } from './migrations/0006-identity-hold.ts';
import { tombstones } from './migrations/0007-tombstones.ts';
import { conflicts } from './migrations/0008-conflicts.ts';
import { incarnations } from './migrations/0009-incarnations.ts';
import { retired } from './migrations/0010-retired.ts';
import { transferBeats } from './migrations/0011-transfer-beats.ts';
import { heirs } from './migrations/0012-heirs.ts';
import { marks } from './migrations/0013-marks.ts';
import { room } from './migrations/0014-room.ts';
import { earlierOffsets } from './migrations/0015-earlier-offsets.ts';
import { wishes } from './migrations/0017-wishes.ts';
import { refill } from './migrations/0018-refill.ts';
import { answered } from './migrations/0021-answered.ts';
import { givenUp } from './migrations/0022-given-up.ts';
import { newestBeat } from './migrations/0024-newest-beat.ts';
import { setBack } from './migrations/0025-set-back.ts';
import { drainedBefore } from './migrations/0026-drained-before.ts';
import { relearningOpen } from './migrations/0027-relearning-open.ts';
import { closedLetters } from './migrations/0029-closed-letters.ts';
import { drainedBackends } from './migrations/0030-drained-backends.ts';
import { fence } from './migrations/0031-fence.ts';
import { nextJob } from './migrations/0032-next-job.ts';
import { numberedSweeps } from './migrations/0033-numbered-sweeps.ts';
import { awaitedPast } from './migrations/0034-awaited-past.ts';
import { publishedCount } from './migrations/0035-published-count.ts';
import { wholePasts } from './migrations/0036-whole-pasts.ts';
import { misconfigured } from './postgres-error.ts';
import { numberAt, textAt } from './row-values.ts';
import type { Session } from './session.ts';
import { begin, commit } from './session.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  { number: 1, name: 'initial', sql: initial },
  { number: 3, name: 'incidents', sql: incidents },
  { number: 4, name: 'transfer', sql: transfer },
  { number: 5, name: 'log', sql: log },
  { number: 6, name: 'identity-hold', sql: identityHold },
  { number: 7, name: 'tombstones', sql: tombstones },
  { number: 8, name: 'conflicts', sql: conflicts },
  { number: 9, name: 'incarnations', sql: incarnations },
  { number: 10, name: 'retired', sql: retired },
  { number: 11, name: 'transfer-beats', sql: transferBeats },
  { number: 12, name: 'heirs', sql: heirs },
  { number: 13, name: 'marks', sql: marks },
  { number: 14, name: 'room', sql: room },
  { number: 15, name: 'earlier-offsets', sql: earlierOffsets },
  { number: 17, name: 'wishes', sql: wishes },
  { number: 18, name: 'refill', sql: refill },
  { number: 21, name: 'answered', sql: answered },
  { number: 22, name: 'given-up', sql: givenUp },
  { number: 24, name: 'newest-beat', sql: newestBeat },
  { number: 25, name: 'set-back', sql: setBack },
  { number: 26, name: 'drained-before', sql: drainedBefore },
  { number: 27, name: 'relearning-open', sql: relearningOpen },
  { number: 29, name: 'closed-letters', sql: closedLetters },
  { number: 30, name: 'drained-backends', sql: drainedBackends },
  { number: 31, name: 'fence', sql: fence },
  { number: 32, name: 'next-job', sql: nextJob },
  { number: 33, name: 'numbered-sweeps', sql: numberedSweeps },
  { number: 34, name: 'awaited-past', sql: awaitedPast },
  { number: 35, name: 'published-count', sql: publishedCount },
  { number: 36, name: 'whole-pasts', sql: wholePasts },
];

const prepareSql = `CREATE SCHEMA IF NOT EXISTS isthmus;
CREATE TABLE IF NOT EXISTS isthmus.migration (
  number integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)`;

const insertMigration = {
  name: 'isthmus_migration_insert',
  text: 'INSERT INTO isthmus.migration (number, name, checksum) VALUES ($1, $2, $3)',
};

/** Rejects with `database-misconfigured` where the database is newer or a migration was changed. */
export async function migrate(session: Session, known: readonly Migration[] = migrations): Promise<void> {
  if (!(await isPrepared(session))) await session.query({ name: null, text: prepareSql });
  const applied = await appliedChecksums(session);
  refuseForeign(applied, known);
  for (const migration of known) {
    if (!applied.has(migration.number)) await run(session, migration);
  }
}

/** Asked first, because a role without the right to create schemas may not even say IF NOT EXISTS. */
async function isPrepared(session: Session): Promise<boolean> {
  const answer = await session.query({
    name: null,
    text: "SELECT to_regclass('isthmus.migration')::text",
  });
  return answer.rows[0]?.[0] !== null;
}

async function appliedChecksums(session: Session): Promise<ReadonlyMap<number, string>> {
  const answer = await session.query({
    name: null,
    text: 'SELECT number, checksum FROM isthmus.migration',
  });
  return new Map(answer.rows.map((row) => [numberAt(row, 0), textAt(row, 1)]));
}

function refuseForeign(applied: ReadonlyMap<number, string>, known: readonly Migration[]): void {
  for (const [number, checksum] of applied) {
    const migration = known.find((candidate) => candidate.number === number);
    if (migration === undefined) {
      throw misconfigured(
        `the database has migration ${number}, this program knows none after ${known.at(-1)?.number}: run a newer version`,
      );
    }
    if (checksum !== checksumOf(migration)) {
      throw misconfigured(
        `migration ${number} (${migration.name}) in the database differs from this program's`,
      );
    }
  }
}

async function run(session: Session, migration: Migration): Promise<void> {
  await session.query(begin);
  await session.query({ name: null, text: migration.sql });
  const { number, name } = migration;
  await session.pipeline([[insertMigration, number, name, checksumOf(migration)], [commit]]);
}

function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}
