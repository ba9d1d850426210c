/**
 * Reads of /proc: what the whole machine and single processes have used. Times are in seconds since boot or since the
 * process's start, so callers compare two readings. A process that is gone reads as nothing. On systems without /proc
 * every reading is empty, and the reports say so.
 */
import { readFile, readdir } from 'node:fs/promises';

const ticksPerS = 100;

export interface MachineReading {
  /** Everything but idling and waiting for disks. */
  readonly busyS: number;
  readonly stealS: number;
  readonly totalS: number;
}

export interface ProcessReading {
  readonly pid: number;
  readonly parent: number;
  /** User and system time, with that of children that have ended and were waited for. */
  readonly cpuS: number;
}

export async function readMachine(): Promise<MachineReading | null> {
  const text = await readOrNull('/proc/stat');
  return text === null ? null : machineFrom(text);
}

export function machineFrom(stat: string): MachineReading {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = (
    stat.split('\n', 1)[0] ?? ''
  )
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / ticksPerS);
  const busyS = user + nice + system + irq + soft;
  return { busyS, stealS: steal, totalS: busyS + idle + wait + steal };
}

export async function readLoadAverage(): Promise<number | null> {
  const text = await readOrNull('/proc/loadavg');
  return text === null ? null : Number(text.split(' ', 1)[0]);
}

/** Every process of the machine. */
export async function readProcesses(): Promise<readonly ProcessReading[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(pids.map((pid) => readOrNull(`/proc/${pid}/stat`)));
  return texts.flatMap((text) => (text === null ? [] : [processFrom(text)]));
}

/** The name may hold spaces and parentheses, so fields count from the last parenthesis. */
export function processFrom(stat: string): ProcessReading {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].map((index) => Number(fields[index] ?? 0));
  return {
    pid: Number(stat.slice(0, stat.indexOf(' '))),
    parent: Number(fields[1] ?? 0),
    cpuS: ticks.reduce((sum, each) => sum + each, 0) / ticksPerS,
  };
}

/** Resident memory in mebibytes; `null` where the process is gone. */
export async function readResidentMb(pid: number): Promise<number | null> {
  const text = await readOrNull(`/proc/${pid}/status`);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(text ?? '')?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // A process may end between being listed and being read.
    return null;
  }
}
