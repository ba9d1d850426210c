import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { shutDown } from './shutdown.ts';

const log = pino({ level: 'silent' });

describe('a shutdown', () => {
  it('runs its steps in order and goes on past one that fails', async () => {
    const done: string[] = [];
    const step = (name: string, fails = false) => ({
      name,
      run: () => {
        done.push(name);
        return fails ? Promise.reject(new TypeError(name)) : Promise.resolve();
      },
    });
    const clean = await shutDown([step('a'), step('b', true), step('c')], { timeoutMs: 5000, log });
    expect(done).toEqual(['a', 'b', 'c']);
    expect(clean).toBe(false);
  });

  it('is clean when every step succeeds', async () => {
    expect(await shutDown([{ name: 'a', run: () => Promise.resolve() }], { timeoutMs: 5000, log })).toBe(
      true,
    );
  });

  it('ends in time although a step never does', async () => {
    const never = { name: 'never', run: () => new Promise(() => undefined) };
    expect(await shutDown([never], { timeoutMs: 10, log })).toBe(false);
  });
});
