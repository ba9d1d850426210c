import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  confirmMs,
  freshMs,
  graceMs,
  holdMs,
  initialLink,
  type LinkKind,
  type LinkSignals,
  type LinkState,
  linkStates,
  oldMs,
  stepLink,
} from './link-monitor.ts';

const stepMs = 500;
const bothFresh: LinkSignals = { tickAgeMs: 300, echoAgeMs: 600, answered: true };

/** Steps every 500 ms for this long with the same signals. */
function during(state: LinkState, forMs: number, signals: Partial<LinkSignals> = {}): LinkState {
  let after = state;
  for (let passedMs = 0; passedMs < forMs; passedMs += stepMs)
    after = stepLink(after, { ...bothFresh, ...signals }, after.decidedAtMs + stepMs);
  return after;
}

function inState(kind: LinkKind): LinkState {
  return { kind, sinceMs: 0, freshSinceMs: null, decidedAtMs: 60_000 };
}

const connected = during(initialLink(0), 10_000);
const old = oldMs + 1;

test('starts as suspected and is connected once confirmed', () => {
  expect(initialLink(0).kind).toBe('suspected');
  expect(during(initialLink(0), confirmMs).kind).toBe('suspected');
  expect(during(initialLink(0), confirmMs + stepMs).kind).toBe('connected');
});

test('without any signal from the start it is partitioned after the grace', () => {
  const nothing = { tickAgeMs: null, echoAgeMs: null, answered: false };
  expect(during(initialLink(0), graceMs - stepMs, nothing).kind).toBe('suspected');
  expect(during(initialLink(0), graceMs, nothing).kind).toBe('partitioned');
});

test('each failure has its name', () => {
  const named = (signals: Partial<LinkSignals>) => during(connected, 10_000, signals).kind;
  expect(named({})).toBe('connected');
  expect(named({ answered: false })).toBe('connected');
  expect(named({ tickAgeMs: old })).toBe('one-way-in');
  expect(named({ echoAgeMs: old, answered: false })).toBe('one-way-out');
  expect(named({ tickAgeMs: old, echoAgeMs: old })).toBe('stalled');
  expect(named({ tickAgeMs: old, echoAgeMs: old, answered: false })).toBe('partitioned');
  expect(named({ tickAgeMs: freshMs + 1 })).toBe('suspected');
});

test('a heal goes through healing and is confirmed', () => {
  const cut = during(connected, 10_000, { tickAgeMs: old, echoAgeMs: old, answered: false });
  expect(during(cut, stepMs).kind).toBe('healing');
  expect(during(cut, confirmMs).kind).toBe('healing');
  expect(during(cut, confirmMs + stepMs).kind).toBe('connected');
});

test('half a heal is a failure of the other direction', () => {
  const cut = during(connected, 10_000, { tickAgeMs: old, echoAgeMs: old, answered: false });
  expect(during(cut, stepMs, { echoAgeMs: freshMs + 1 }).kind).toBe('one-way-out');
  expect(during(during(cut, stepMs), stepMs, { tickAgeMs: freshMs + 1 }).kind).toBe('one-way-in');
});

test('a process that was stopped believes nothing until it is confirmed anew', () => {
  const after = stepLink(connected, bothFresh, connected.decidedAtMs + 60_000);
  expect(after.kind).toBe('suspected');
  const stale = during(after, freshMs, { tickAgeMs: freshMs + 1 });
  expect(stale.kind).toBe('suspected');
  expect(during(after, confirmMs).kind).toBe('connected');
});

test('the transition table is total', () => {
  const freshness = { fresh: 0, late: freshMs + 1, old };
  const table: Record<string, string> = {};
  for (const kind of linkStates)
    for (const [tick, tickAgeMs] of Object.entries(freshness))
      for (const [echo, echoAgeMs] of Object.entries(freshness)) {
        const go = (answered: boolean) =>
          stepLink(inState(kind), { tickAgeMs, echoAgeMs, answered }, 60_500).kind;
        const kinds = new Set([go(true), go(false)]);
        table[`${kind} ${tick} ${echo}`] = [...kinds].join(' or ');
      }
  const both = 'stalled or partitioned';
  const row = (kind: string, cells: readonly string[]) => {
    const names = ['fresh', 'late', 'old'].flatMap((tick) =>
      ['fresh', 'late', 'old'].map((echo) => `${kind} ${tick} ${echo}`),
    );
    return Object.fromEntries(names.map((name, index) => [name, cells[index]]));
  };
  const [up, doubt, inn, out] = ['connected', 'suspected', 'one-way-in', 'one-way-out'];
  const failed = ['healing', out, out, inn, both, both, inn, both, both];
  expect(table).toEqual({
    ...row('connected', [up, doubt, doubt, doubt, doubt, doubt, doubt, doubt, doubt]),
    ...row('suspected', [doubt, doubt, out, doubt, doubt, out, inn, inn, both]),
    ...row('one-way-in', ['healing', inn, out, inn, inn, both, inn, inn, both]),
    ...row('one-way-out', ['healing', out, out, out, out, out, inn, both, both]),
    ...row('stalled', failed),
    ...row('partitioned', failed),
    ...row('healing', failed),
  });
});

const age = fc.option(
  fc.oneof(
    fc.integer({ min: 0, max: freshMs }),
    fc.integer({ min: freshMs + 1, max: oldMs }),
    fc.integer({ min: oldMs + 1, max: 1e9 }),
  ),
);
const signals = fc.record({ tickAgeMs: age, echoAgeMs: age, answered: fc.boolean() });
const steps = fc.array(fc.tuple(signals, fc.constantFrom(1, 100, 500, 500, 500, 1000, 10_000)), {
  maxLength: 200,
});

function isFresh({ tickAgeMs, echoAgeMs }: LinkSignals): boolean {
  const isYoung = (ageMs: number | null) => ageMs !== null && ageMs <= freshMs;
  return isYoung(tickAgeMs) && isYoung(echoAgeMs);
}

test('it is never connected while a signal is not fresh, nor before both were for the time of confirmation', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      let state = initialLink(0);
      let freshForMs = -1;
      for (const [seen, afterMs] of taken) {
        const isUnbroken = isFresh(seen) && afterMs <= freshMs && freshForMs >= 0;
        freshForMs = isUnbroken ? freshForMs + afterMs : isFresh(seen) ? 0 : -1;
        const before = state;
        state = stepLink(state, seen, state.decidedAtMs + afterMs);
        if (state.kind === 'connected') expect(isFresh(seen)).toBe(true);
        if (state.kind === 'connected' && before.kind !== 'connected')
          expect(freshForMs).toBeGreaterThanOrEqual(confirmMs);
      }
    }),
    { numRuns: 2000 },
  );
});

test('however signals flap, the state changes at most twice in the time that a state holds', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      let state = initialLink(0);
      const changesAt: number[] = [];
      for (const [seen, afterMs] of taken) {
        const before = state;
        state = stepLink(state, seen, state.decidedAtMs + afterMs);
        if (state.kind !== before.kind) changesAt.push(state.decidedAtMs);
      }
      for (const [index, at] of changesAt.entries()) {
        const third = changesAt[index + 2];
        if (third !== undefined) expect(third - at).toBeGreaterThanOrEqual(holdMs);
      }
    }),
    { numRuns: 2000 },
  );
});

test('signals that come and go faster than the time of confirmation never make it connected', () => {
  let state = during(connected, 20_000, { tickAgeMs: old, echoAgeMs: old, answered: false });
  for (let round = 0; round < 50; round++) {
    state = during(state, confirmMs - stepMs);
    expect(state.kind).not.toBe('connected');
    state = during(state, 4000, { tickAgeMs: oldMs - 1 });
    expect(state.kind).not.toBe('connected');
  }
});
