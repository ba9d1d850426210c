import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { AssertionFailure } from '../../errors.ts';
import { fromPg, isWorthRepeating, serverErrorIn } from './postgres-error.ts';

function serverError(code: string): DatabaseError {
  const error = new DatabaseError('it went wrong', 0, 'error');
  error.code = code;
  return error;
}

describe('failures of Postgres', () => {
  it.each([
    ['57P01', 'database-unavailable', true],
    ['57P03', 'database-unavailable', true],
    ['08006', 'database-unavailable', true],
    ['25006', 'database-unavailable', true],
    ['53100', 'database-unavailable', true],
    ['53300', 'overloaded', true],
    ['57014', 'overloaded', true],
    ['40P01', 'overloaded', true],
    ['28P01', 'database-misconfigured', false],
    ['3D000', 'database-misconfigured', false],
    ['42501', 'database-misconfigured', false],
    ['53400', 'database-misconfigured', false],
  ])('%s is %s', (state, code, retriable) => {
    const cause = serverError(state);
    const error = fromPg(cause);
    expect(error).toMatchObject({ code, retriable, cause });
    expect(serverErrorIn(error)).toBe(cause);
  });

  it.each(['22P02', '23505', '42703'])('%s is a bug of ours', (state) => {
    const error = fromPg(serverError(state));
    expect(error).toBeInstanceOf(AssertionFailure);
    expect(serverErrorIn(error)?.code).toBe(state);
  });

  it('trouble with the connection is no answer of the server', () => {
    const error = fromPg(new Error('read ECONNRESET'));
    expect(error).toMatchObject({ code: 'database-unavailable', retriable: true });
    expect(serverErrorIn(error)).toBeNull();
  });

  it('repeats deadlocks and serialisation failures, and nothing else', () => {
    const repeated = ['40P01', '40001', '57014', '53300'].filter((state) =>
      isWorthRepeating(fromPg(serverError(state))),
    );
    expect(repeated).toEqual(['40P01', '40001']);
  });
});
