/**
 * Takes from the role that peers read with what Postgres gives to everybody: temporary tables, tables in schemas that
 * are open to all, advisory locks (the region's own among them), large objects, transaction ids, the ending of other
 * peers' sessions, and temporary files without limit. A privilege of everybody can only be taken from everybody, so all
 * other roles that there are by then are given it by name first: they keep what they had, and a role that is made later
 * has to be given it. Where our own role may not do that, as with managed servers, nothing fails: what the reader may
 * still do is returned, to be said.
 */
import { escapeIdentifier, escapeLiteral } from 'pg';
import { textAt } from '../postgres/row-values.ts';
import { begin, commit } from '../postgres/session.ts';
import type { Session, Statement } from '../postgres/session.ts';

/** Of the server's functions; each is one that everybody may call. */
const functionPattern =
  '^(pg_(try_)?advisory_(xact_)?lock|lo_|loread$|lowrite$|pg_(cancel|terminate)_backend$|pg_current_xact_id$|txid_current$)';
/** An answer is read in the order of an index and needs none. */
const temporaryFiles = '64MB';

/**
 * Two processes that start at once would alter the same rows of the catalogues. Appends and readers do not wait for this
 * lock, and no reader can hold it.
 */
const lockLimits: Statement = {
  name: null,
  text: 'LOCK TABLE isthmus.log_topic IN SHARE UPDATE EXCLUSIVE MODE',
};

const stillAllowed: Statement = {
  name: 'isthmus_log_reader_may',
  text: `SELECT what FROM (
    SELECT 1 AS place, 'make temporary tables' AS what
      WHERE has_database_privilege($1::name, current_database(), 'TEMP')
    UNION ALL SELECT 2, format('make tables in the schema %I', nspname) FROM pg_namespace
      WHERE has_schema_privilege($1::name, oid, 'CREATE')
    UNION ALL SELECT 3, format('call %s', string_agg(DISTINCT proname, ', ' ORDER BY proname)) FROM pg_proc
      WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '${functionPattern}'
        AND has_function_privilege($1::name, oid, 'EXECUTE') HAVING count(*) > 0
    UNION ALL SELECT 4, 'fill the disk with temporary files'
      WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1::name
        AND 'temp_file_limit=${temporaryFiles}' = ANY (rolconfig))
    UNION ALL SELECT 5, 'hold transactions open, because our role may not end its sessions'
      WHERE NOT pg_has_role(current_user, $1::name, 'USAGE')
  ) AS may ORDER BY place, what`,
};

/** Returns what the role may do beyond reading, in words; empty where all was taken. */
export async function limitReader(session: Session, role: string): Promise<readonly string[]> {
  await session.query(begin);
  try {
    await session.query(lockLimits);
    await session.query({ name: null, text: takeFromEverybody(role) });
    const { rows } = await session.query(stillAllowed, role);
    await session.query(commit);
    return rows.map((row) => textAt(row, 0));
  } catch (error) {
    await session.rollback();
    throw error;
  }
}

/** Each part is for whom it may be done by, and does nothing where it was done before. */
function takeFromEverybody(name: string): string {
  const [role, text] = [escapeIdentifier(name), escapeLiteral(name)];
  return `DO $limits$
DECLARE
  others text;
  target record;
BEGIN
  -- Owners by whatever name, and everybody but superusers, who need nothing, and readers.
  SELECT string_agg(quote_ident(rolname), ', ') INTO others FROM pg_roles
    WHERE rolname = 'pg_database_owner'
      OR NOT (rolsuper OR starts_with(rolname, 'pg_') OR starts_with(rolname, 'isthmus_log_') OR rolname = ${text});
  FOR target IN
    SELECT 'TEMPORARY' AS what, format('DATABASE %I', datname) AS place FROM pg_database
      WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')
        AND has_database_privilege(${text}, oid, 'TEMP')
    UNION ALL SELECT 'CREATE', format('SCHEMA %I', nspname) FROM pg_namespace
      WHERE pg_has_role(nspowner, 'USAGE') AND has_schema_privilege(${text}, oid, 'CREATE')
    UNION ALL SELECT 'EXECUTE', format('FUNCTION %s', oid::regprocedure) FROM pg_proc
      WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '${functionPattern}'
        AND pg_has_role(proowner, 'USAGE') AND has_function_privilege(${text}, oid, 'EXECUTE')
  LOOP
    EXECUTE format('GRANT %s ON %s TO %s', target.what, target.place, others);
    EXECUTE format('REVOKE %s ON %s FROM PUBLIC', target.what, target.place);
  END LOOP;
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    -- One of the settings that a role cannot change for itself.
    ALTER ROLE ${role} SET temp_file_limit = '${temporaryFiles}';
  ELSIF NOT pg_has_role(${text}, 'USAGE') AND pg_has_role(${text}, 'MEMBER WITH ADMIN OPTION') THEN
    -- Whoever is to end a role's sessions has its rights.
    GRANT ${role} TO CURRENT_USER WITH INHERIT TRUE, SET FALSE;
  END IF;
END
$limits$`;
}
