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
  shownLink,
  steadyMs,
  stepLink,
} from './link-monitor.ts';

const stepMs = 500;
const allFresh: LinkSignals = {
  blind: false,
  tickAgeMs: 300,
  dataAgeMs: 400,
  echoAgeMs: 600,
  echoMovedMs: 300,
  peerDataAgeMs: 400,
  answered: true,
};
const old = oldMs + 1;
const echoOld = { echoAgeMs: old, echoMovedMs: old };
const late = freshMs + 1;
const cut = { tickAgeMs: old, dataAgeMs: old, ...echoOld, peerDataAgeMs: null, answered: false };

/** Steps every 500 ms for this long with the same signals. */
function during(state: LinkState, forMs: number, signals: Partial<LinkSignals> = {}): LinkState {
  let after = state;
  for (let passedMs = 0; passedMs < forMs; passedMs += stepMs)
    after = stepLink(after, { ...allFresh, ...signals }, after.decidedAtMs + stepMs);
  return after;
}

function inState(kind: LinkKind): LinkState {
  return { kind, sinceMs: 0, freshSinceMs: null, decidedAtMs: 60_000, relapses: 0 };
}

const connected = during(initialLink(0), 5000);
const steady = during(connected, steadyMs);

test('starts as suspected and is connected once confirmed', () => {
  expect(initialLink(0).kind).toBe('suspected');
  expect(during(initialLink(0), confirmMs).kind).toBe('suspected');
  expect(during(initialLink(0), confirmMs + stepMs).kind).toBe('connected');
});

test('without any signal from the start it is partitioned after the grace', () => {
  const nothing = { ...cut, tickAgeMs: null, dataAgeMs: null, echoAgeMs: null, echoMovedMs: null };
  expect(during(initialLink(0), graceMs - stepMs, nothing).kind).toBe('suspected');
  expect(during(initialLink(0), graceMs, nothing).kind).toBe('partitioned');
});

test('each failure has its name', () => {
  const kindWith = (signals: Partial<LinkSignals>) => during(connected, 10_000, signals).kind;
  expect(kindWith({})).toBe('connected');
  expect(kindWith({ answered: false })).toBe('connected');
  expect(kindWith({ tickAgeMs: old })).toBe('one-way-in');
  expect(kindWith({ tickAgeMs: old, dataAgeMs: old })).toBe('one-way-in');
  expect(kindWith({ ...echoOld, peerDataAgeMs: null, answered: false })).toBe('one-way-out');
  expect(kindWith({ tickAgeMs: old, ...echoOld })).toBe('stalled');
  expect(kindWith(cut)).toBe('partitioned');
  expect(kindWith({ tickAgeMs: late })).toBe('suspected');
});

test('a gray link, on which beats or requests pass and changes stand still, is stalled on both sides', () => {
  const kindWith = (signals: Partial<LinkSignals>) => during(connected, 10_000, signals).kind;
  expect(kindWith({ dataAgeMs: old })).toBe('stalled');
  expect(kindWith({ dataAgeMs: null })).toBe('stalled');
  expect(kindWith({ peerDataAgeMs: old })).toBe('stalled');
  expect(kindWith({ ...echoOld })).toBe('stalled');
  expect(kindWith({ dataAgeMs: late })).toBe('suspected');
});

test('a peer that does not say how our changes fare is judged by its echoes alone', () => {
  expect(during(initialLink(0), 5000, { peerDataAgeMs: null }).kind).toBe('connected');
});

test('a peer that catches up on old beats is not cut off, nor connected before it has our newest ones', () => {
  const behind = { echoAgeMs: 60_000, echoMovedMs: 200 };
  expect(during(connected, 10_000, behind).kind).toBe('suspected');
  const healed = during(during(connected, 10_000, cut), 30_000, behind);
  expect(healed.kind).not.toBe('connected');
  expect(during(healed, holdMs + confirmMs + stepMs).kind).toBe('connected');
});

test('a heal goes through healing and is confirmed within two seconds', () => {
  const gone = during(steady, 10_000, cut);
  expect(during(gone, stepMs).kind).toBe('healing');
  expect(during(gone, confirmMs).kind).toBe('healing');
  expect(during(gone, confirmMs + stepMs).kind).toBe('connected');
});

test('data may come a little later than the beats that show the way to be open', () => {
  const gone = during(steady, 10_000, cut);
  const open = during(gone, stepMs, { dataAgeMs: old });
  expect(open.kind).toBe('healing');
  expect(during(open, graceMs - stepMs, { dataAgeMs: old }).kind).toBe('healing');
  expect(during(open, graceMs, { dataAgeMs: old }).kind).toBe('stalled');
});

test('half a heal is a failure of the other direction', () => {
  const gone = during(connected, 10_000, cut);
  const half = { echoAgeMs: late, answered: false };
  expect(during(gone, stepMs, half).kind).toBe('one-way-out');
  expect(during(during(gone, stepMs), stepMs, { tickAgeMs: late }).kind).toBe('one-way-in');
});

test('a process that was stopped believes nothing until it is confirmed anew', () => {
  const woken = connected.decidedAtMs + 60_000;
  expect(shownLink(connected, woken).kind).toBe('suspected');
  expect(shownLink(connected, connected.decidedAtMs + stepMs).kind).toBe('connected');
  const after = stepLink(connected, allFresh, woken);
  expect(after.kind).toBe('suspected');
  expect(during(after, confirmMs - stepMs).kind).toBe('suspected');
  expect(during(after, confirmMs).kind).toBe('connected');
});

test('a burst out of a buffer confirms nothing, however young it looks', () => {
  const aged = (ageMs: number): LinkSignals => {
    return { ...allFresh, tickAgeMs: ageMs, dataAgeMs: ageMs, echoMovedMs: ageMs, echoAgeMs: 0 };
  };
  let state = stepLink(connected, aged(0), connected.decidedAtMs + 60_000);
  for (let ageMs = stepMs; ageMs <= freshMs; ageMs += stepMs) {
    state = stepLink(state, aged(ageMs), state.decidedAtMs + stepMs);
    expect(state.kind).toBe('suspected');
  }
  const staleEcho = { echoAgeMs: freshMs, echoMovedMs: 0 };
  expect(during(stepLink(connected, allFresh, 1e6), freshMs - stepMs, staleEcho).kind).toBe('suspected');
});

test('while the own database is away nothing is said against the link, and soon after it all is well', () => {
  const blind = during(connected, 30_000, { ...cut, answered: true, blind: true });
  expect(blind.kind).toBe('suspected');
  const back = during(blind, stepMs, { tickAgeMs: old, dataAgeMs: old, ...echoOld });
  expect(back.kind).toBe('suspected');
  expect(during(back, confirmMs + stepMs).kind).toBe('connected');
  expect(during(back, 10_000, cut).kind).toBe('partitioned');
});

test('a failure that was known stays known while nobody can look', () => {
  const gone = during(connected, 10_000, cut);
  expect(during(gone, 10_000, { blind: true }).kind).toBe('partitioned');
});

test('a link that flaps has to prove itself for longer, and is forgiven once steady', () => {
  const flap = (from: LinkState, upMs: number) => during(during(from, 3000, { tickAgeMs: late }), upMs);
  expect(flap(steady, 2500).kind).toBe('connected');
  let state = steady;
  for (let round = 0; round < 4; round++) state = flap(state, 4000);
  expect(state.kind).toBe('suspected');
  for (let round = 0; round < 100; round++) {
    state = flap(state, 3000);
    expect(state.kind).toBe('suspected');
  }
  const calm = during(state, 4 * confirmMs + stepMs);
  expect(calm.kind).toBe('connected');
  expect(flap(during(calm, steadyMs), 2500).kind).toBe('connected');
});

test('the transition table is total', () => {
  const freshness = { fresh: 0, late, old };
  const table: Record<string, string> = {};
  for (const kind of linkStates)
    for (const [tick, tickAgeMs] of Object.entries(freshness))
      for (const [echo, echoAgeMs] of Object.entries(freshness)) {
        const signals = { ...allFresh, tickAgeMs, echoAgeMs, echoMovedMs: echoAgeMs };
        const go = (answered: boolean) => stepLink(inState(kind), { ...signals, answered }, 60_500).kind;
        table[`${kind} ${tick} ${echo}`] = [...new Set([go(true), go(false)])].join(' or ');
      }
  const row = (kind: string, cells: readonly string[]) => {
    const names = ['fresh', 'late', 'old'].flatMap((tick) =>
      ['fresh', 'late', 'old'].map((echo) => `${kind} ${tick} ${echo}`),
    );
    return Object.fromEntries(names.map((name, index) => [name, cells[index]]));
  };
  const [up, doubt, inn] = ['connected', 'suspected', 'one-way-in'];
  const [out, both] = ['stalled or one-way-out', 'stalled or partitioned'];
  const failed = ['healing', out, out, inn, both, both, inn, both, both];
  const wasOut = ['healing', out, out, 'one-way-out', out, out, inn, both, both];
  expect(table).toEqual({
    ...row('connected', [up, doubt, doubt, doubt, doubt, doubt, doubt, doubt, doubt]),
    ...row('suspected', [doubt, doubt, out, doubt, doubt, out, inn, inn, both]),
    ...row('one-way-in', ['healing', inn, out, inn, inn, both, inn, inn, both]),
    ...row('one-way-out', wasOut),
    ...row('stalled', failed),
    ...row('partitioned', failed),
    ...row('healing', failed),
  });
});

test.each(linkStates)('%s goes somewhere for every freshness of the data', (kind) => {
  for (const dataAgeMs of [0, late, old, null])
    for (const peerDataAgeMs of [0, late, old, null])
      for (const blind of [false, true]) {
        const after = stepLink(inState(kind), { ...allFresh, dataAgeMs, peerDataAgeMs, blind }, 60_500);
        expect(linkStates).toContain(after.kind);
      }
});

const age = fc.option(
  fc.oneof(
    fc.integer({ min: 0, max: freshMs }),
    fc.integer({ min: freshMs + 1, max: oldMs }),
    fc.integer({ min: oldMs + 1, max: 1e9 }),
  ),
);
const signals = fc.record({
  blind: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  tickAgeMs: age,
  dataAgeMs: age,
  echoAgeMs: age,
  echoMovedMs: age,
  peerDataAgeMs: age,
  answered: fc.boolean(),
});
const mostlyFresh = fc.oneof(
  { weight: 3, arbitrary: fc.constant(allFresh) },
  { weight: 1, arbitrary: signals },
);
const steps = fc.array(fc.tuple(mostlyFresh, fc.constantFrom(1, 100, 500, 500, 500, 1000, 10_000)), {
  maxLength: 200,
});

function isFresh(seen: LinkSignals): boolean {
  const isYoung = (ageMs: number | null) => ageMs !== null && ageMs <= freshMs;
  const isPeerYoung = seen.peerDataAgeMs === null || isYoung(seen.peerDataAgeMs);
  const isOwnYoung = isYoung(seen.tickAgeMs) && isYoung(seen.dataAgeMs) && isYoung(seen.echoAgeMs);
  return !seen.blind && isOwnYoung && isPeerYoung;
}

test('it is never connected while a signal is not fresh, nor before all were for the time of confirmation', () => {
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
        if (state.kind !== 'connected' || before.kind === 'connected') continue;
        expect(freshForMs).toBeGreaterThanOrEqual(confirmMs);
        expect(seen.echoAgeMs ?? Infinity).toBeLessThanOrEqual(freshForMs);
        expect(seen.tickAgeMs ?? Infinity).toBeLessThan(freshForMs);
      }
    }),
    { numRuns: 2000 },
  );
});

/** Only `healing` and `connected` may be short, and the one follows the other: a failure was fresh all the time it held. */
test('however signals flap, the state changes at most three times in the time that a state holds', () => {
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
        const fourth = changesAt[index + 3];
        if (fourth !== undefined) expect(fourth - at).toBeGreaterThanOrEqual(confirmMs);
      }
    }),
    { numRuns: 2000 },
  );
});
