/** What is read from /proc, and what is called disturbed. */
import { expect, it } from 'vitest';
import { machineFrom, processFrom } from './proc.ts';
import { usageBetween } from './usage.ts';

it('reads the times of the machine', () => {
  const stat = 'cpu  100 20 30 1000 50 5 5 40 7 0\ncpu0 1 1 1 1\n';
  expect(machineFrom(stat)).toEqual({ busyS: 1.6, stealS: 0.4, totalS: 12.5 });
});

it('reads a process whose name holds parentheses and spaces', () => {
  const stat = '42 (post) gres: x (y) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 20 30 20 0 1 0 99';
  expect(processFrom(stat)).toEqual({ pid: 42, parent: 7, cpuS: 2.5 });
});

const parts = [
  { name: 'postgres', pid: 10, withChildren: true },
  { name: 'region', pid: 20, withChildren: false },
];

function reading(
  atS: number,
  used: { own: number; child: number; region: number; busy: number; steal: number },
) {
  return {
    atMs: atS * 1000,
    machine: { busyS: used.busy, stealS: used.steal, totalS: atS * 2 },
    processes: [
      { pid: 10, parent: 1, cpuS: used.own },
      { pid: 11, parent: 10, cpuS: used.child },
      { pid: 20, parent: 1, cpuS: used.region },
      { pid: 21, parent: 20, cpuS: 99 },
    ],
  };
}

it('adds the backends to Postgres and tells what others used', () => {
  const before = reading(0, { own: 1, child: 1, region: 1, busy: 10, steal: 0 });
  const after = reading(10, { own: 2, child: 5, region: 4, busy: 22, steal: 0 });
  const usage = usageBetween(parts, { before, after }, 0.2);
  expect(usage.parts).toEqual([
    { name: 'postgres', cpuS: 5 },
    { name: 'region', cpuS: 3 },
  ]);
  expect(usage.othersShare).toBeCloseTo(4 / 20);
  expect(usage).toMatchObject({ seconds: 10, isDisturbed: true, loadBefore: 0.2 });
});

it('counts what the servers that it has started have started', () => {
  const processes = (cpuS: number) => [
    { pid: 12, parent: 11, cpuS },
    { pid: 10, parent: 1, cpuS: 1 },
    { pid: 11, parent: 10, cpuS: 1 },
  ];
  const at = (atS: number, cpuS: number) => ({
    atMs: atS * 1000,
    machine: { busyS: cpuS, stealS: 0, totalS: atS * 2 },
    processes: processes(cpuS),
  });
  const mine = [{ name: 'load generator', pid: 10, withChildren: true }];
  const usage = usageBetween(mine, { before: at(0, 0), after: at(10, 8) }, 0);
  expect(usage).toMatchObject({ parts: [{ cpuS: 8 }], othersShare: 0, isDisturbed: false });
});

it('calls a run disturbed for stolen time and not for our own work', () => {
  const before = reading(0, { own: 0, child: 0, region: 0, busy: 0, steal: 0 });
  const quiet = reading(10, { own: 1, child: 10, region: 8, busy: 19.5, steal: 0 });
  expect(usageBetween(parts, { before, after: quiet }, 0).isDisturbed).toBe(false);
  const stolen = reading(10, { own: 1, child: 10, region: 8, busy: 19.5, steal: 1 });
  expect(usageBetween(parts, { before, after: stolen }, 0).isDisturbed).toBe(true);
});
