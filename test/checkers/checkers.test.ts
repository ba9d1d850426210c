import { expect, test } from 'vitest';
import { checkCounters } from './counters.ts';
import type { HistoryEvent, Operation, Result } from './history.ts';
import { checkIncidents, type DeclaredIncident } from './incidents.ts';
import { checkInserts } from './inserts.ts';
import { checkSessions } from './sessions.ts';
import { checkCount, checkLostChanges } from './metrics.ts';
import { checkRegisters } from './registers.ts';
import { checkTexts } from './texts.ts';

function event(operation: Operation, result: Result, process = 'p1'): HistoryEvent {
  return { process, region: 'eu', operation, result, invokedAtMs: 0, completedAtMs: 1, status: null };
}

/** The moments of a call that took so long. */
function during(
  invokedAtMs: number,
  completedAtMs: number,
): Pick<HistoryEvent, 'invokedAtMs' | 'completedAtMs'> {
  return { invokedAtMs, completedAtMs };
}

function increment(amount: number, result: Result): HistoryEvent {
  return event({ kind: 'increment', key: 'c', amount }, result);
}

function set(value: string, result: Result, process = 'p1'): HistoryEvent {
  return event({ kind: 'set', key: 'r', value }, result, process);
}

test('counters: lost, doubled and torn increments are found, unknown ones may or may not count', () => {
  const history = [
    increment(1009, 'ok'),
    increment(2003, 'ok'),
    increment(500_009, 'info'),
    increment(7, 'fail'),
  ];
  const found = (value: number) => checkCounters(history, new Map([['c', value]])).length;
  expect([3012, 3012 + 500_009].map(found)).toEqual([0, 0]);
  expect([1009, 3012 + 1009, 3012 + 7, 3012 + 2 * 500_009, 0].map(found)).toEqual([1, 1, 1, 1, 1]);
});

test('counters: one that nobody incremented, or only in vain, and that reads something is found', () => {
  const found = (key: string) => checkCounters([increment(7, 'fail')], new Map([[key, 7]])).length;
  expect([found('c'), found('other')]).toEqual([1, 1]);
});

test('counters: too many unknown outcomes are refused, not waved through', () => {
  const history = Array.from({ length: 17 }, (_, index) => increment(index + 1, 'info'));
  expect(checkCounters(history, new Map([['c', 0]]))).toHaveLength(1);
});

test('inserts: a lost one and a fabricated one are found', () => {
  const insert = (key: string, result: Result) => event({ kind: 'insert', key }, result);
  const history = [insert('a', 'ok'), insert('b', 'info'), insert('c', 'fail')];
  expect(checkInserts(history, new Set(['a', 'b']))).toEqual([]);
  expect(checkInserts(history, new Set(['a']))).toEqual([]);
  expect(checkInserts(history, new Set(['b'])).map(({ key }) => key)).toEqual(['a']);
  expect(checkInserts(history, new Set(['a', 'c', 'x'])).map(({ key }) => key)).toEqual(['c', 'x']);
});

test('registers: a value that its own writer overwrote, or that nobody wrote, is found', () => {
  const history = [set('v1', 'ok'), set('v2', 'ok'), set('w1', 'ok', 'p2'), set('w2', 'info', 'p2')];
  const found = (value: string) => checkRegisters(history, new Map([['r', value]])).length;
  expect(['v2', 'w1', 'w2'].map(found)).toEqual([0, 0, 0]);
  expect(['v1', 'x'].map(found)).toEqual([1, 1]);
  expect(checkRegisters(history, new Map())).toHaveLength(1);
});

test('registers: a value that another writer of the same region overwrote is found, and none that may have come later', () => {
  const one = { ...set('v', 'ok'), ...during(0, 10) };
  const found = (later: HistoryEvent) => checkRegisters([one, later], new Map([['r', 'v']])).length;
  const other = { ...set('w', 'ok', 'p2'), ...during(11, 20) };
  expect(found(other)).toBe(1);
  expect(found({ ...other, invokedAtMs: 9 }), 'at the same time').toBe(0);
  expect(found({ ...other, region: 'us' }), 'elsewhere').toBe(0);
  expect(found({ ...other, result: 'info' }), 'perhaps').toBe(0);
  const late = checkRegisters([{ ...one, result: 'info' }, other], new Map([['r', 'v']]));
  expect(late, 'an unknown one that came later').toEqual([]);
});

test('registers: what lay aside when its region wrote on may win over that, and nothing else may', () => {
  const history = [set('v', 'ok'), { ...set('w', 'ok'), aside: new Set(['v']) }, set('x', 'ok')];
  const found = (value: string, until: number) =>
    checkRegisters(history.slice(0, until), new Map([['r', value]])).length;
  expect([found('v', 2), found('w', 2), found('v', 3), found('w', 3)]).toEqual([0, 0, 1, 1]);
});

test('registers: one that nobody wrote, or only in vain, and that shows something is found', () => {
  const found = (key: string) => checkRegisters([set('v', 'fail')], new Map([[key, 'v']])).length;
  expect([found('r'), found('other')]).toEqual([1, 1]);
});

test('texts: a lost, doubled, torn or strange piece is found', () => {
  const note = (token: string, result: Result) => event({ kind: 'note', key: 't', token }, result);
  const history = [note('[a]', 'ok'), note('[b]', 'ok'), note('[c]', 'info'), note('[d]', 'fail')];
  const found = (text: string) => checkTexts(history, new Map([['t', text]])).length;
  expect(['[a][b]', '[b][a][c]'].map(found)).toEqual([0, 0]);
  expect(['[a]', '[a][b][a]', '[a][b][d]', '[a][b]x', '[a][b][c][c]'].map(found)).toEqual([1, 1, 1, 1, 1]);
  expect(found('[a[b]]'), 'torn').toBeGreaterThan(0);
  expect(checkTexts([], new Map([['u', '[z]']]))).toHaveLength(1);
});

test('numbers of changes: too few, too many and a loss beyond what was told are found, unknown is not', () => {
  const found = (shown: number | null) =>
    checkCount({ gauge: 'backlog', place: 'us of eu', shown, least: 40, most: 100 });
  expect([null, 40, 100, 105].map(found)).toEqual([null, null, null, null]);
  expect([0, 39, 106].map((shown) => found(shown)?.detail)).toEqual([
    'backlog of 0, in truth 40 to 100',
    'backlog of 39, in truth 40 to 100',
    'backlog of 106, in truth 40 to 100',
  ]);
  const lost = (shown: number | null) => checkLostChanges('eu of us', { shown, least: 7 });
  expect([null, 7, 8].map(lost)).toEqual([null, null, null]);
  expect(lost(6)?.detail).toBe('lost 7 changes with an RPO of 6');
});

test('sessions: a write of its own, or what was shown before, that is missing is found; a lost session begins anew', () => {
  const at = { session: 's', region: 'eu', atMs: 1, key: 'k' };
  const shown = (...elements: readonly string[]) => ({ ...at, kind: 'shown', elements }) as const;
  const wrote = (element: string, ...elements: readonly string[]) =>
    ({ ...at, kind: 'wrote', element, elements: [...elements, element] }) as const;
  const found = (...events: Parameters<typeof checkSessions>[0]) => checkSessions(events).length;
  expect(found(shown(), wrote('a'), shown('a', 'x'), shown('x', 'a', 'y'))).toBe(0);
  expect(found(wrote('a'), shown('x'))).toBe(1);
  expect(found(shown('x'), shown())).toBe(1);
  expect(found(shown('x'), wrote('a', 'y'))).toBe(1);
  expect(found({ ...wrote('a'), elements: [] })).toBe(1);
  expect(found(shown('x'), { ...at, kind: 'lost' }, shown())).toBe(0);
  expect(found(shown('x'), { ...shown(), key: 'other' }, { ...shown(), session: 't' })).toBe(0);
});

test('incidents: one without a cause, a second one of one breakage, and wrong counts are found', () => {
  const incident = { declaredAtMs: 12_000, reconciledAtMs: 60_000, own: 5, peer: 3 };
  const writes = {
    own: ({ fromMs }: { readonly fromMs: number }) => (fromMs < 10_000 ? 7 : 4),
    peer: () => 3,
  };
  const breakage = { fromMs: 10_000, toMs: 20_000, isUnbroken: true, isDue: false, ...writes };
  const found = (...incidents: readonly DeclaredIncident[]) =>
    checkIncidents({ place: 'eu of us', incidents, troubles: [breakage], breakages: [breakage] }).length;
  expect(found()).toBe(0);
  expect(found(incident)).toBe(0);
  expect(found({ ...incident, own: null, reconciledAtMs: null })).toBe(0);
  expect(found(incident, { ...incident, declaredAtMs: 25_000 })).toBe(1);
  expect(found({ ...incident, declaredAtMs: 9000 })).toBe(1);
  expect(found({ ...incident, own: 3 })).toBe(1);
  expect(found({ ...incident, own: 8 })).toBe(1);
  expect(found({ ...incident, peer: 2 })).toBe(1);
});

test('incidents: none where both sides wrote, one that is never over, and one without its writes are found', () => {
  const incident = { declaredAtMs: 12_000, reconciledAtMs: 60_000, own: 5, peer: 3 };
  const writes = { own: () => 5, peer: () => 3 };
  const due = { fromMs: 10_000, toMs: 30_000, isUnbroken: true, isDue: true, ...writes };
  const found = (incidents: readonly DeclaredIncident[], breakage = due) =>
    checkIncidents({ place: 'eu of us', incidents, troubles: [breakage], breakages: [breakage] }).length;
  expect(found([incident])).toBe(0);
  expect(found([])).toBe(1);
  expect(found([{ ...incident, reconciledAtMs: null }])).toBe(1);
  expect(found([{ ...incident, peer: null }])).toBe(1);
  expect(found([{ ...incident, declaredAtMs: 31_000 }]), 'too late').toBe(1);
  expect(found([], { ...due, peer: () => 0 }), 'one side alone wrote').toBe(0);
  expect(found([], { ...due, isDue: false })).toBe(0);
});
