import { expect, test } from 'vitest';
import { checkAvailability } from './availability.ts';
import { checkBounded } from './bounded.ts';
import { checkConvergence } from './convergence.ts';
import { checkDeletes } from './deletes.ts';
import type { HistoryEvent, Operation, Result } from './history.ts';
import { checkGauge, checkLoss } from './metrics.ts';
import { checkSets } from './sets.ts';

function event(operation: Operation, result: Result = 'ok'): HistoryEvent {
  return { process: 'p', region: 'eu', operation, result, invokedAtMs: 0, completedAtMs: 1, status: null };
}

test('bounded counters: a lost spend, a doubled refill and a value below the bound are found', () => {
  const history = [
    event({ kind: 'refill', key: 'b', amount: 1009 }),
    event({ kind: 'spend', key: 'b', amount: 503 }),
    event({ kind: 'spend', key: 'b', amount: 251 }, 'info'),
    event({ kind: 'spend', key: 'b', amount: 7 }, 'fail'),
  ];
  const found = (value: number) => checkBounded(history, new Map([['b', value]])).length;
  expect([506, 255].map(found)).toEqual([0, 0]);
  expect([1009, 506 + 1009, 499, -1].map(found)).toEqual([1, 1, 1, 1]);
});

test('bounded counters: one that nobody refilled, or only in vain, and that reads something is found', () => {
  const history = [event({ kind: 'refill', key: 'b', amount: 7 }, 'fail')];
  const found = (key: string) => checkBounded(history, new Map([[key, 7]])).length;
  expect([found('b'), found('other')]).toEqual([1, 1]);
});

test('sets: an element that is lost, fabricated, or back after its removal is found', () => {
  const history = [
    event({ kind: 'add', key: 's', element: 'a' }),
    event({ kind: 'add', key: 's', element: 'b' }),
    event({ kind: 'add', key: 's', element: 'c' }, 'info'),
    event({ kind: 'remove', key: 's', element: 'b' }),
    event({ kind: 'remove', key: 's', element: null }),
  ];
  const found = (...present: readonly string[]) =>
    checkSets(history, new Map([['s', new Set(present)]])).map(({ detail }) => detail);
  expect([found('a'), found('a', 'c')]).toEqual([[], []]);
  expect(found('c')).toEqual(['a is lost']);
  expect(found('a', 'b')).toEqual(['b is back after it was removed']);
  expect(found('a', 'x')).toEqual(['x is there, and nobody added it']);
  const strange = checkSets([], new Map([['t', new Set(['y'])]]));
  expect(strange.map(({ key }) => key)).toEqual(['t']);
});

test('deletes: a value that comes back, one that nobody put, and a record that is gone are found', () => {
  const history = [
    event({ kind: 'put', key: 'd', value: 'v1' }),
    event({ kind: 'delete', key: 'd', saw: 'v1' }),
    event({ kind: 'put', key: 'd', value: 'v2' }, 'info'),
    event({ kind: 'put', key: 'e', value: 'w' }),
    event({ kind: 'delete', key: 'e', saw: 'w' }, 'fail'),
  ];
  const found = (d: string | null, e: string | null) => {
    const finals = Object.entries({ d, e }).flatMap(([key, value]) =>
      value === null ? [] : [[key, value] as const],
    );
    return checkDeletes(history, new Map(finals)).map(({ key }) => key);
  };
  expect([found(null, 'w'), found('v2', 'w')]).toEqual([[], []]);
  expect([found('v1', 'w'), found('x', 'w'), found(null, null)]).toEqual([['d'], ['d'], ['e']]);
});

test('deletes: a record that was written after all deletes had been answered and is gone is found', () => {
  const call = (operation: Operation, atMs: number, result: Result = 'ok') => {
    return { ...event(operation, result), invokedAtMs: atMs, completedAtMs: atMs + 5 };
  };
  const put = (value: string, atMs: number, result: Result = 'ok') =>
    call({ kind: 'put', key: 'd', value }, atMs, result);
  const removal = { kind: 'delete', key: 'd', saw: 'v1' } as const;
  const found = (...history: readonly HistoryEvent[]) => checkDeletes(history, new Map()).length;
  expect(found(put('v1', 0), call(removal, 10), put('v2', 20))).toBe(1);
  expect(found(put('v1', 0), call(removal, 10), put('v2', 12)), 'at the same time').toBe(0);
  expect(found(put('v1', 0), call(removal, 10, 'info'), put('v2', 20)), 'perhaps later').toBe(0);
  expect(found(put('v1', 0), call(removal, 10), put('v2', 20, 'info')), 'perhaps never').toBe(0);
});

test('convergence: a record that differs or is missing is found', () => {
  const found = (us: Readonly<Record<string, string>>) =>
    checkConvergence(
      new Map([
        ['eu', new Map(Object.entries({ a: '1', b: '2' }))],
        ['us', new Map(Object.entries(us))],
      ]),
    ).map(({ key }) => key);
  expect(found({ a: '1', b: '2' })).toEqual([]);
  expect([found({ a: '1', b: '3' }), found({ a: '1' }), found({ a: '1', b: '2', c: '4' })]).toEqual([
    ['b'],
    ['b'],
    ['c'],
  ]);
});

test('availability: a slow answer and a failure of a sound region are found, a refusal is an answer', () => {
  const judged = (result: Result, tookMs: number, wasSound = true, wasRefused = false) =>
    checkAvailability(
      [
        {
          ...event({ kind: 'insert', key: 'i' }, result),
          completedAtMs: tookMs,
          wasSound,
          wasRefused,
        },
      ],
      250,
    ).length;
  expect([judged('ok', 10), judged('fail', 10, true, true), judged('info', 9999, false)]).toEqual([0, 0, 0]);
  expect([judged('ok', 300), judged('fail', 10), judged('info', 10)]).toEqual([1, 1, 1]);
});

test('metrics: a gauge that is too low or too high is found, within the larger of 1 s and 5 %', () => {
  const lag = (shownMs: number | null, leastMs: number, mostMs: number) =>
    checkGauge({ gauge: 'lag', place: 'us of eu', shownMs, leastMs, mostMs }) === null;
  expect([lag(null, 5000, 5000), lag(4001, 5000, 5000), lag(104_000, 100_000, 100_000)]).toEqual([
    true,
    true,
    true,
  ]);
  expect([lag(3900, 5000, 5000), lag(6100, 5000, 5000), lag(106_000, 100_000, 100_000)]).toEqual([
    false,
    false,
    false,
  ]);
  const rpo = (shownMs: number) =>
    checkGauge({ gauge: 'rpo', place: 'eu at us', shownMs, leastMs: 5000, mostMs: Infinity }) === null;
  expect([rpo(5000), rpo(4900)]).toEqual([true, false]);
});

test('loss: what was lost is never older than the RPO said', () => {
  expect([checkLoss('eu', null, 9000), checkLoss('eu', 9000, 9000)]).toEqual([null, null]);
  expect(checkLoss('eu', 8000, 9000)).not.toBeNull();
});
