/**
 * Runs a write transaction to an end: every failure is rolled back before it goes on, so that a connection is never
 * given back inside a transaction, and deadlocks, serialisation failures and records removed in between are tried
 * again a bounded number of times. `work` begins and commits, and must have no other effects.
 */
import { ReplicationError } from '../../errors.ts';
import { isWorthRepeating } from './postgres-error.ts';
import type { Session } from './session.ts';

const maxAttempts = 5;

/** Rows were absent when they were to be locked: never there, or removed by somebody in between. */
export class RecordsRemoved extends ReplicationError {
  constructor() {
    super('overloaded', `records were removed ${maxAttempts} times in a row`, {
      retriable: true,
    });
  }
}

export async function repeat<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(session);
    } catch (error) {
      await session.rollback();
      if (attempt === maxAttempts || !mayRepeat(error)) throw error;
    }
  }
}

function mayRepeat(error: unknown): boolean {
  return error instanceof RecordsRemoved || isWorthRepeating(error);
}
