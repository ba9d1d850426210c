/**
 * The faults of a soak, one after the other, drawn from the seed: a process is killed or stopped, a link is cut, hangs
 * or grows slow. Each is undone, and the next begins only when every region is ready and every link is connected again,
 * so a fault that does not heal stops the soak with its name instead of hiding behind the next one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '@isthmus/loadtest/random';
import { between } from '../chaos/random.ts';
import type { Demo, LinkState, ProcessName } from '../e2e/demo.ts';
import { until } from '../until.ts';

const healMs = 90_000;
const quietMs = { least: 4_000, most: 12_000 };
const faultMs = { least: 2_000, most: 12_000 };
const slowLinkMs = 300;

interface Fault {
  readonly name: string;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

export interface FiredFault {
  readonly name: string;
  /** Seconds since the soak began. */
  readonly fromS: number;
  readonly untilS: number;
  /** Seconds from its end until all links were connected. */
  readonly healedAfterS: number;
}

export interface FaultsOptions {
  readonly demo: Demo;
  readonly next: Random;
  readonly elapsedS: () => number;
  readonly say: (line: string) => void;
}

/** Fires until `signal` is aborted, then resolves with all links whole and all processes running. */
export async function fireFaults(
  options: FaultsOptions,
  signal: AbortSignal,
): Promise<readonly FiredFault[]> {
  const { demo, next, elapsedS, say } = options;
  const known = faultsOf(demo);
  const fired: FiredFault[] = [];
  while (await rest(between(next, quietMs.least, quietMs.most), signal)) {
    const fault = known[Math.floor(next() * known.length)];
    if (fault === undefined) break;
    const fromS = elapsedS();
    await fault.begin();
    await rest(between(next, faultMs.least, faultMs.most), signal);
    await fault.end();
    const untilS = elapsedS();
    await healed(demo, fault.name);
    const healedAfterS = elapsedS() - untilS;
    fired.push({ name: fault.name, fromS, untilS, healedAfterS });
    say(
      `  ${fault.name}, ${(untilS - fromS).toFixed(1)} s, whole again ${healedAfterS.toFixed(1)} s after its end`,
    );
  }
  return fired;
}

/** Waits until every region is ready and says of every peer that it is connected. */
export async function healed(demo: Demo, after: string): Promise<void> {
  await until(`all links connected after ${after}`, healMs, async () => {
    const each = await Promise.all(demo.regions.map((region) => region.status()));
    return each.every(({ ready, peers }) => ready && peers.every(({ link }) => link === 'connected'));
  });
}

function faultsOf(demo: Demo): readonly Fault[] {
  const names = demo.regions.map(({ region }) => region);
  const hasKafka = demo.ready.regions.every(({ brokers }) => !brokers.startsWith('postgres'));
  const processes: readonly ProcessName[] = hasKafka
    ? ['region', 'postgres', 'kafka']
    : ['region', 'postgres'];
  const ofProcesses = names.flatMap((region) => [
    ...processes.map((process) => killed(demo, region, process)),
    stopped(demo, region, 'region'),
    stopped(demo, region, 'postgres'),
  ]);
  const pairs = names.flatMap((origin) =>
    names.filter((each) => each !== origin).map((to) => [origin, to] as const),
  );
  const ofLinks = pairs.flatMap(([origin, target]) => [
    linked(demo, [origin, target], 'cut'),
    linked(demo, [origin, target], 'hang'),
    linked(demo, [origin, target], 'delay'),
  ]);
  return [...ofProcesses, ...ofLinks];
}

function killed(demo: Demo, region: string, process: ProcessName): Fault {
  return {
    name: `${process} of ${region} killed`,
    begin: () => demo.signal(region, process, 'SIGKILL'),
    end: () => demo.signal(region, process, 'start'),
  };
}

function stopped(demo: Demo, region: string, process: ProcessName): Fault {
  return {
    name: `${process} of ${region} stopped`,
    begin: () => demo.signal(region, process, 'SIGSTOP'),
    end: () => demo.signal(region, process, 'SIGCONT'),
  };
}

function linked(demo: Demo, [origin, target]: readonly [string, string], state: LinkState): Fault {
  const delayMs = state === 'delay' ? slowLinkMs : undefined;
  return {
    name: `link ${origin} to ${target}: ${state}`,
    begin: () => demo.setLink(origin, target, state, delayMs),
    end: () => demo.setLink(origin, target, 'ok'),
  };
}

/** False where the soak ended meanwhile. */
async function rest(ms: number, signal: AbortSignal): Promise<boolean> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
