/**
 * The role under which peers read a region's log: it may connect, read the log's tables and call their functions, and
 * nothing else. How many connections peers may hold, how long they may ask and how long they may be silent is bounded
 * by the role, so that no peer can use up the region's own database (I8). A role may change its settings, so they bind
 * honest peers alone; `reader-watch.ts` ends the sessions of others, and `reader-limits.ts` takes away what Postgres gives
 * to every role. The role is made where a password is given;
 * a role of that name which somebody else made is given its rights and is left alone otherwise.
 */
import { escapeIdentifier, escapeLiteral } from 'pg';
import type { RegionId } from '../../ports/identity.ts';
import { misconfigured, serverErrorIn } from '../postgres/postgres-error.ts';
import type { Session } from '../postgres/session.ts';
import { limitReader } from './reader-limits.ts';
import { scramVerifier } from './scram.ts';

/** Peers hold two each, and for a moment those that they have given up. */
const maxConnections = 40;
const insufficientPrivilege = '42501';

const settings: Readonly<Record<string, string>> = {
  default_transaction_read_only: 'on',
  statement_timeout: '30s',
  lock_timeout: '2s',
  idle_in_transaction_session_timeout: '10s',
  idle_session_timeout: '60s',
  tcp_user_timeout: '10s',
  jit: 'off',
};

export function readerRole(region: RegionId): string {
  return `isthmus_log_${region}`;
}

/**
 * Returns what the role may do beyond reading, as far as ours may not take it away. Rejects with
 * `database-misconfigured` where our own role may not make roles.
 */
export async function ensureReader(
  session: Session,
  region: RegionId,
  password: string | null,
): Promise<readonly string[]> {
  const name = readerRole(region);
  const exists = await hasRole(session, name);
  if (password !== null) await makeRole(session, { name, exists, password });
  if (!exists && password === null) return [];
  await grant(session, escapeIdentifier(name));
  return limitReader(session, name);
}

async function hasRole(session: Session, name: string): Promise<boolean> {
  const found = await session.query(
    { name: 'isthmus_log_role', text: 'SELECT FROM pg_roles WHERE rolname = $1' },
    name,
  );
  return found.rowCount > 0;
}

async function makeRole(
  session: Session,
  role: { readonly name: string; readonly exists: boolean; readonly password: string },
): Promise<void> {
  const name = escapeIdentifier(role.name);
  const verifier = escapeLiteral(await scramVerifier(role.password));
  const options = `LOGIN NOINHERIT CONNECTION LIMIT ${maxConnections} PASSWORD ${verifier}`;
  const bounds = Object.entries(settings).map(
    ([setting, value]) => `ALTER ROLE ${name} SET ${setting} = '${value}'`,
  );
  const statements = [`${role.exists ? 'ALTER' : 'CREATE'} ROLE ${name} ${options}`, ...bounds];
  try {
    await session.query({ name: null, text: statements.join(';\n') });
  } catch (error) {
    if (serverErrorIn(error)?.code !== insufficientPrivilege) throw error;
    throw misconfigured(
      `our role may not make the role ${name} that peers read the log with: ` +
        `make it (CREATE ROLE ${name} LOGIN PASSWORD …) and give no password here, or run ALTER ROLE … CREATEROLE`,
      error,
    );
  }
}

async function grant(session: Session, name: string): Promise<void> {
  await session.query({
    name: null,
    text: `GRANT USAGE ON SCHEMA isthmus TO ${name};
    DO $$ BEGIN FOR segment IN 0..18 LOOP
      EXECUTE format('GRANT SELECT ON isthmus.log_record_%s TO ${name}', segment);
    END LOOP; END $$;
    GRANT SELECT ON isthmus.log_topic, isthmus.log_segment TO ${name};
    GRANT EXECUTE ON FUNCTION isthmus.read_log, isthmus.log_edges TO ${name}`,
  });
}
