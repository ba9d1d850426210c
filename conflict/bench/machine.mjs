/**
 * What else went on in the machine while we measured: time that a hypervisor took away, time that other processes
 * used, and the load. It measures nothing itself and changes nothing; where the system does not tell, it says so.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os';

const ticksPerSecond = 100;

/** Seconds of processor time that this process took, and its children that have ended. */
function ownSeconds() {
  // The name in the second column may hold anything, so columns are counted from behind it.
  const columns = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [];
  return columns.slice(11, 15).reduce((all, ticks) => all + ticks, 0) / ticksPerSecond;
}

/** @returns {{ busy: number, steal: number, own: number, at: number }} Seconds since the machine, or the process, began. */
function reading() {
  const at = performance.now() / 1000;
  if (platform() !== 'linux') return { busy: Number.NaN, steal: Number.NaN, own: Number.NaN, at };
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = (user + nice + system + irq + soft) / ticksPerSecond;
  return { busy, steal: steal / ticksPerSecond, own: ownSeconds(), at };
}

/** Begins to watch; the function that it gives says what was seen since. */
export function watchMachine() {
  const before = reading();
  return () => {
    const after = reading();
    const cores = availableParallelism();
    const available = (after.at - before.at) * cores;
    const others = Math.max(0, after.busy - before.busy - (after.own - before.own)) / available;
    const stolen = (after.steal - before.steal) / available;
    return { others, stolen, load: loadavg()[0] ?? 0, cores };
  };
}

/** In general terms. */
export function describeMachine() {
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${memory} GiB, ${platform()} ${process.arch}, Node ${process.versions.node}`;
}

/** @param {ReturnType<ReturnType<typeof watchMachine>>} seen */
export function describeActivity({ others, stolen, load, cores }) {
  if (Number.isNaN(others)) return `load ${load.toFixed(2)}; this system does not tell what others used`;
  const figures = `other processes used ${percent(others)} of ${cores} cores, ${percent(stolen)} was stolen, load ${load.toFixed(2)}`;
  const isBusy = others > 0.1 || stolen > 0.02;
  return isBusy ? `${figures}: THE MACHINE WAS BUSY, trust ratios more than rates` : figures;
}

/** @param {number} part */
const percent = (part) => `${(100 * part).toFixed(1)} %`;
