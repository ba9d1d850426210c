import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRegionId } from '../ports/identity.ts';
import { type Incident, incidentStates, type Mark } from '../ports/incident-store.ts';
import {
  followLink,
  isOpenIncident,
  isSplitBrain,
  type Observation,
  quietMs,
  stepIncident,
  wantsSweep,
} from './incident-machine.ts';
import { linkStates } from './link-monitor.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const own = { counter: 1, nonce: 5 };
const theirs = { counter: 2, nonce: 6 };
const digests = { own: { products: 'd1' }, peer: { products: 'd1' } };

function mark(beat: number, count: number | null = beat * 10, incarnation = own): Mark {
  return { incarnation, beat, count };
}

function seen(changes: Partial<Observation>): Observation {
  return {
    peer: us,
    nowMs: 100_000,
    link: 'partitioned',
    heldMs: 1000,
    lastWellAtMs: 95_000,
    settled: { own: mark(10), peer: mark(20, 200, theirs) },
    written: { own: mark(12), peer: null },
    sweep: null,
    ...changes,
  };
}

/** Takes the steps that a store would keep; `null` where there is no row. */
function follow(observations: readonly Observation[], from: Incident | null = null): Incident | null {
  let incident = from;
  for (const observation of observations) {
    const step = stepIncident(incident, observation);
    if (step.kind === 'open') incident = { ...step.incident, number: 1, revision: 1, conflictCount: 0 };
    if (step.kind === 'drop') incident = null;
    if (step.kind === 'keep') incident = step.incident;
  }
  return incident;
}

const healed = seen({
  link: 'connected',
  heldMs: 2000,
  nowMs: 130_000,
  settled: { own: mark(10), peer: mark(20, 200, theirs) },
  written: { own: mark(40), peer: mark(50, 260, theirs) },
});
const settled: Observation = {
  ...healed,
  nowMs: 132_000,
  heldMs: 4000,
  settled: { own: mark(40), peer: mark(50, 260, theirs) },
};
const quiet: Observation = { ...settled, nowMs: 136_000, heldMs: quietMs };

test('the transition table is total', () => {
  const table = [null, ...incidentStates].map((state) => [
    state,
    ...linkStates.map((link) => followLink(state, link)),
  ]);
  const names = ['one-way-in', 'one-way-out', 'stalled', 'partitioned'];
  const row = (state: string | null, connected: string | null, suspected: string) => [
    state,
    connected,
    suspected,
    ...names,
    'healing',
  ];
  expect(table).toEqual([
    row(null, null, 'suspected'),
    row('suspected', null, 'suspected'),
    ...names.map((name) => row(name, 'healing', name)),
    row('healing', 'healing', 'healing'),
    row('reconciled', 'healing', 'reconciled'),
  ]);
});

test('a doubt that comes to nothing is dropped', () => {
  const doubted = follow([seen({ link: 'suspected' })]);
  expect(doubted).toMatchObject({ state: 'suspected', declaredAtMs: null, startedAtMs: 95_000 });
  expect(stepIncident(doubted, seen({ link: 'connected' }))).toEqual({ kind: 'drop' });
});

test('what each side held is known from the first doubt on', () => {
  const later = seen({ settled: { own: mark(11), peer: mark(25, 250, theirs) } });
  const incident = follow([seen({ link: 'suspected' }), later]);
  expect(incident?.from).toEqual({ own: mark(10), peer: mark(20, 200, theirs) });
  expect(incident).toMatchObject({ state: 'partitioned', declaredAtMs: 100_000, writes: { own: 20 } });
});

test('it ends with the vector at heal settled both ways, a quiet link and a clean sweep', () => {
  const incident = follow([seen({}), healed, settled, { ...quiet, sweep: digests }]);
  expect(incident).toMatchObject({
    state: 'reconciled',
    startedAtMs: 95_000,
    declaredAtMs: 100_000,
    healedAtMs: 130_000,
    settledAtMs: 132_000,
    endedAtMs: 136_000,
    writes: { own: 300, peer: 60 },
    digests,
  });
  expect(stepIncident(incident, seen({}))).toEqual({ kind: 'none' });
});

test.each([
  ['nothing is settled', [healed, { ...healed, heldMs: quietMs, sweep: digests }]],
  [
    'own changes are not settled',
    [healed, { ...quiet, settled: { ...quiet.settled, own: mark(39) }, sweep: digests }],
  ],
  [
    'changes of the peer are not settled',
    [healed, { ...quiet, settled: { ...quiet.settled, peer: mark(49, 250, theirs) }, sweep: digests }],
  ],
  ['it was settled only now', [healed, { ...quiet, sweep: digests }]],
  ['the link is not quiet yet', [healed, settled, { ...quiet, heldMs: quietMs - 1, sweep: digests }]],
  ['the sweep is not clean', [healed, settled, quiet]],
  ['the link is in doubt', [healed, settled, { ...quiet, link: 'suspected' as const, sweep: digests }]],
  [
    'the peer has not said what it wrote',
    [{ ...quiet, written: { own: mark(40), peer: null }, sweep: digests }],
  ],
])('it does not end while %s', (_what, observations) => {
  expect(follow([seen({}), ...observations])).toMatchObject({ state: 'healing', endedAtMs: null });
});

test('a link that breaks again goes on with the same incident and asks for a new vector', () => {
  const again = follow([seen({}), healed, settled, seen({ nowMs: 140_000, link: 'one-way-in' })]);
  expect(again).toMatchObject({
    state: 'one-way-in',
    startedAtMs: 95_000,
    declaredAtMs: 100_000,
    until: null,
    healedAtMs: null,
    settledAtMs: null,
  });
  const written = { own: mark(80), peer: mark(90, 500, theirs) };
  const next = follow([{ ...healed, nowMs: 150_000, written }], again);
  expect(next).toMatchObject({ healedAtMs: 150_000, until: written, writes: { own: 700, peer: 300 } });
});

test('a new life of either side asks for a new vector', () => {
  const open = follow([seen({}), healed, settled]);
  const reborn = { counter: 3, nonce: 7 };
  const written = { own: mark(45), peer: mark(1, 0, reborn) };
  const next = follow([{ ...settled, written }], open);
  expect(next).toMatchObject({ until: written, settledAtMs: null, writes: { peer: null } });
});

test('both wrote, one did not, or nobody can tell', () => {
  expect(isSplitBrain({ writes: { own: 3, peer: 1 } })).toBe(true);
  expect(isSplitBrain({ writes: { own: 0, peer: null } })).toBe(false);
  expect(isSplitBrain({ writes: { own: 3, peer: 0 } })).toBe(false);
  expect(isSplitBrain({ writes: { own: 3, peer: null } })).toBeNull();
  const silent = follow([seen({ written: { own: mark(12), peer: mark(20, 200, theirs) } })]);
  expect(silent?.writes).toEqual({ own: 20, peer: null });
  const unwritten = follow([seen({ written: { own: mark(10), peer: null } })]);
  expect(unwritten === null || isOpenIncident(unwritten)).toBe(false);
  const apart = follow([seen({})]);
  expect(apart !== null && isOpenIncident(apart)).toBe(true);
});

test('a peer that was never heard holds nothing: all that is written counts', () => {
  const nothing = { own: null, peer: null };
  const starting = follow([seen({ settled: nothing, written: { own: mark(3, 0), peer: null } })]);
  expect(starting).toMatchObject({ from: nothing, writes: { own: 0, peer: null } });
  const joined = { own: mark(9, 4), peer: mark(8, 2, theirs) };
  const met = follow([{ ...healed, settled: nothing, written: joined }], starting);
  expect(met).toMatchObject({ writes: { own: 4, peer: 2 } });
});

const countOf = fc.option(fc.nat(1000));
const life = fc.constantFrom(own, theirs);
const anyMark = fc.option(
  fc.tuple(fc.nat(100), countOf, life).map(([beat, count, incarnation]) => mark(beat, count, incarnation)),
);
const sides = fc.record({ own: anyMark, peer: anyMark });
const observations = fc.array(
  fc.record({
    link: fc.constantFrom(...linkStates, 'connected' as const, 'connected' as const),
    heldMs: fc.constantFrom(500, quietMs, 60_000),
    settled: sides,
    written: sides,
    sweep: fc.option(fc.constant(digests)),
    isRestart: fc.boolean(),
  }),
  { maxLength: 60 },
);

test('whatever is seen, an incident ends only when it may, and a restart at any point changes nothing', () => {
  fc.assert(
    fc.property(observations, (taken) => {
      let incident: Incident | null = null;
      for (const [index, { isRestart, ...each }] of taken.entries()) {
        const observation = seen({ ...each, nowMs: 100_000 + index * 1000 });
        const before: Incident | null = incident;
        incident = follow([observation], before);
        if (isRestart && incident !== null) incident = structuredClone(incident);
        if (before === null || incident === null) continue;
        expect(incident.startedAtMs).toBe(before.startedAtMs);
        expect(incident.from).toEqual(before.from);
        if (before.declaredAtMs !== null) expect(incident.declaredAtMs).toBe(before.declaredAtMs);
        if (before.endedAtMs !== null) expect(incident).toEqual(before);
        if (incident.endedAtMs === null || before.endedAtMs !== null) continue;
        expect(observation.link).toBe('connected');
        expect(wantsSweep(before, observation)).toBe(true);
        expect(before.until).toEqual(incident.until);
        expect(incident.digests).toEqual(digests);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a link that flaps faster than a quiet time has one incident', () => {
  let incident: Incident | null = null;
  let opened = 0;
  for (let atMs = 0; atMs < 600_000; atMs += 1000) {
    const phase = atMs % 12_000;
    const isUp = phase >= 12_000 - quietMs;
    const up = { ...quiet, heldMs: phase - (12_000 - quietMs), sweep: digests, nowMs: atMs };
    const before: Incident | null = incident;
    incident = follow([isUp ? up : seen({ nowMs: atMs })], incident);
    if (before === null && incident !== null) opened++;
  }
  expect(opened).toBe(1);
  expect(incident).toMatchObject({ endedAtMs: null });
});
