/**
 * Where the processors' time went while something ran, by the processes that take part, and whether anything else was
 * at work on the machine. Postgres counts with all its backends. What belongs to none of ours is `others`; together
 * with stolen time it decides whether a figure is called disturbed. A figure is never hidden for that, only marked.
 */
import { availableParallelism } from 'node:os';
import type { Demo } from '../demo.ts';
import {
  type MachineReading,
  type ProcessReading,
  readLoadAverage,
  readMachine,
  readProcesses,
} from './proc.ts';

const disturbedShare = 0.1;
const disturbedSteal = 0.02;

/** A process of ours and whether all those below it count with it. */
export interface Part {
  readonly name: string;
  readonly pid: number;
  readonly withChildren: boolean;
}

export interface Usage {
  readonly seconds: number;
  /** Processor seconds by part, the largest first. */
  readonly parts: readonly { readonly name: string; readonly cpuS: number }[];
  /** Shares of all processors' time, 0 to 1. */
  readonly othersShare: number;
  readonly stealShare: number;
  /** One-minute load average for each processor, before the start; our own work before is in it. */
  readonly loadBefore: number;
  readonly isDisturbed: boolean;
}

interface Reading {
  readonly atMs: number;
  readonly machine: MachineReading;
  readonly processes: readonly ProcessReading[];
}

/** Start it, do the work, and ask for the usage. */
export class UsageWatch {
  readonly #parts: readonly Part[];
  readonly #before: Reading | null;
  readonly #loadBefore: number;

  private constructor(parts: readonly Part[], before: Reading | null, loadBefore: number) {
    this.#parts = parts;
    this.#before = before;
    this.#loadBefore = loadBefore;
  }

  static async start(parts: readonly Part[]): Promise<UsageWatch> {
    const processors = Math.max(1, availableParallelism());
    const load = ((await readLoadAverage()) ?? 0) / processors;
    return new UsageWatch(parts, await read(), load);
  }

  /** `null` where the machine does not tell. */
  async usage(): Promise<Usage | null> {
    const after = await read();
    if (this.#before === null || after === null) return null;
    return usageBetween(this.#parts, { before: this.#before, after }, this.#loadBefore);
  }
}

async function read(): Promise<Reading | null> {
  const [machine, processes] = await Promise.all([readMachine(), readProcesses()]);
  return machine === null ? null : { atMs: performance.now(), machine, processes };
}

/** The processes of a demo and of the load test itself. */
export async function partsOf(demo: Demo, writerPid: number | null): Promise<readonly Part[]> {
  const servers = (await demo.processes()).filter(({ pid }) => pid > 0);
  return [
    { name: 'load generator', pid: process.pid, withChildren: false },
    ...(writerPid === null ? [] : [{ name: 'engine writer', pid: writerPid, withChildren: false }]),
    { name: 'demo (links)', pid: demo.pid, withChildren: false },
    ...servers.map((server) => ({
      name: `${server.process} ${server.region}`,
      pid: server.pid,
      withChildren: server.process === 'postgres',
    })),
  ];
}

export function usageBetween(
  parts: readonly Part[],
  { before, after }: { readonly before: Reading; readonly after: Reading },
  loadBefore: number,
): Usage {
  const used = parts.map((part) => ({
    name: part.name,
    cpuS: Math.max(0, cpuOf(part, after.processes) - cpuOf(part, before.processes)),
  }));
  const totalS = Math.max(0.01, after.machine.totalS - before.machine.totalS);
  const ownS = used.reduce((sum, { cpuS }) => sum + cpuS, 0);
  const busyS = after.machine.busyS - before.machine.busyS;
  const othersShare = Math.max(0, busyS - ownS) / totalS;
  const stealShare = (after.machine.stealS - before.machine.stealS) / totalS;
  return {
    seconds: (after.atMs - before.atMs) / 1000,
    parts: used.toSorted((a, b) => b.cpuS - a.cpuS),
    othersShare,
    stealShare,
    loadBefore,
    isDisturbed: othersShare > disturbedShare || stealShare > disturbedSteal,
  };
}

function cpuOf(part: Part, processes: readonly ProcessReading[]): number {
  const own = new Set([part.pid]);
  for (let before = 0; part.withChildren && own.size > before; ) {
    before = own.size;
    for (const { pid, parent } of processes) if (own.has(parent)) own.add(pid);
  }
  return processes.reduce((sum, { pid, cpuS }) => sum + (own.has(pid) ? cpuS : 0), 0);
}
