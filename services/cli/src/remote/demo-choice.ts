/**
 * Which of the demos on this machine a command means. The only one that runs needs no naming; among several the
 * command line decides, then the environment, and where neither does the choice is refused: a guess could write to
 * a demo that belongs to somebody else's work. It must never fall back from a demo that was named to another.
 */
import { wrongUsage } from './cli-error.ts';
import type { CommandIo } from './command.ts';

interface DemoRegion {
  readonly region: string;
  readonly api: string;
  readonly admin: string;
}

export interface Demo {
  readonly pid: number;
  readonly startedAtMs: number;
  readonly regions: readonly DemoRegion[];
  /** Address of the demo's controls. */
  readonly control: string;
}

type Demos = Pick<CommandIo, 'demo' | 'readDemos'>;

/** `null`: none runs and none was named. Throws `CliError` where the choice is not clear. */
export async function chooseDemo(given: string | undefined, io: Demos): Promise<Demo | null> {
  const running = await io.readDemos();
  const named = given ?? (io.demo === '' ? undefined : io.demo);
  if (named === undefined) return onlyOne(running);
  const chosen = running.find((demo) => String(demo.pid) === named);
  if (chosen !== undefined) return chosen;
  const source = given === undefined ? 'ISTHMUS_DEMO' : '--demo';
  const shown = JSON.stringify(named.slice(0, 40));
  const known =
    running.length === 0 ? 'None runs; start one with: npm run demo' : `Running:\n${list(running)}`;
  throw wrongUsage(`${source} takes the process number of a running demo; ${shown} is none. ${known}`);
}

/** Throws `CliError` where none runs. */
export async function requireDemo(given: string | undefined, io: Demos): Promise<Demo> {
  const demo = await chooseDemo(given, io);
  if (demo !== null) return demo;
  throw wrongUsage('No demo runs. Start one with: npm run demo');
}

export function unknownRegion(demo: Demo, region: string): Error {
  const names = demo.regions.map((known) => known.region).join(', ');
  return wrongUsage(`The demo has no region ${JSON.stringify(region)}; it has ${names}.`);
}

function onlyOne(running: readonly Demo[]): Demo | null {
  if (running.length <= 1) return running[0] ?? null;
  throw wrongUsage(
    `${running.length} demos run; choose one with --demo PID or ISTHMUS_DEMO=PID:\n${list(running)}`,
  );
}

function list(demos: readonly Demo[]): string {
  const lines = demos.map(({ pid, regions, startedAtMs }) => {
    const names = regions.map(({ region }) => region).join(',');
    return `  ${pid}  ${names}  started ${new Date(startedAtMs).toISOString()}`;
  });
  return lines.join('\n');
}
