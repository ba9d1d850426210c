/** Self time of a small profile. */
import { expect, it } from 'vitest';
import { summaryOf } from './summary.ts';

it('adds self time by area and by function, and leaves out waiting', () => {
  const frame = (id: number, functionName: string, url: string) => ({
    id,
    callFrame: { functionName, url, lineNumber: 9 },
  });
  const profile = {
    nodes: [
      frame(1, '(idle)', ''),
      frame(2, 'read', 'file:///x/node_modules/@scope/name/a.js'),
      frame(3, 'merge', 'file:///x/conflict/dist/record/merge.js'),
      frame(4, '(garbage collector)', ''),
      frame(5, 'writev', ''),
    ],
    samples: [1, 2, 3, 3, 4, 5],
    timeDeltas: [9000, 1000, 2000, 4000, 1000, 2000],
  };
  const { busyMs, areas, functions } = summaryOf(JSON.stringify(profile));
  expect(busyMs).toBe(10);
  expect(areas.map(({ name, ms }) => [name, ms])).toEqual([
    ['conflict/dist/record/merge.js', 6],
    ['native', 2],
    ['@scope/name', 1],
    ['(garbage collector)', 1],
  ]);
  expect(functions[0]).toEqual({ name: 'merge conflict/dist/record/merge.js:10', ms: 6, share: 0.6 });
});
