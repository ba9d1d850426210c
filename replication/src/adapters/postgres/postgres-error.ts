/**
 * Turns what `pg` rejects with into the engine's coded failures. It tells apart three things that callers must not
 * confuse: the database cannot serve now, it is set up wrongly, and our own SQL is wrong, which is a bug. It never
 * guesses from message texts what an SQLSTATE says.
 */
import { DatabaseError } from 'pg';
import { AssertionFailure, ReplicationError } from '../../errors.ts';

const serializationFailure = '40001';
const deadlockDetected = '40P01';

/** Absent database, schema or table, missing privilege, a limit in the configuration that is used up. */
const misconfiguredStates = new Set(['3D000', '3F000', '42P01', '42501', '53400']);
/** Conflicts with others that went on, statements that took or waited too long, too many connections. */
const overloadedStates = new Set([serializationFailure, deadlockDetected, '53300', '55P03', '57014']);
/** Classes that say that our statement or our values are wrong. */
const bugClasses = new Set(['22', '23', '26', '34', '42']);

/** The server's own answer inside a failure; `null`: the connection was the trouble, or something else. */
export function serverErrorIn(error: unknown): DatabaseError | null {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof DatabaseError ? cause : null;
}

/** The server ends the connection with this error. */
export function isFatal(error: DatabaseError): boolean {
  return error.severity === 'FATAL' || error.severity === 'PANIC';
}

export function isWorthRepeating(error: unknown): boolean {
  const state = serverErrorIn(error)?.code;
  return state === serializationFailure || state === deadlockDetected;
}

export function databaseUnavailable(message: string, cause?: unknown): ReplicationError {
  return new ReplicationError('database-unavailable', message, { retriable: true, cause });
}

export function misconfigured(message: string, cause?: unknown): ReplicationError {
  return new ReplicationError('database-misconfigured', message, { retriable: false, cause });
}

export function overloaded(message: string, cause?: unknown): ReplicationError {
  return new ReplicationError('overloaded', message, { retriable: true, cause });
}

/** What to throw in place of what `pg` threw, which stays inside as the cause. */
export function fromPg(error: unknown): Error {
  if (error instanceof DatabaseError) return fromServer(error);
  const text = error instanceof Error ? error.message : String(error);
  return databaseUnavailable(`no connection to Postgres: ${text}`, error);
}

function fromServer(error: DatabaseError): Error {
  const state = error.code ?? '';
  const text = `Postgres says ${state}: ${error.message}`;
  if (misconfiguredStates.has(state) || state.startsWith('28')) return misconfigured(text, error);
  if (overloadedStates.has(state)) return overloaded(text, error);
  if (!bugClasses.has(state.slice(0, 2))) return databaseUnavailable(text, error);
  const bug = new AssertionFailure(text);
  bug.cause = error;
  return bug;
}
