/**
 * Where a command goes: what `--api` and `--admin` name, else the regions of the demo
 * that `--demo` names, else the environment, else the running demo. Where several run and none is named it refuses, and so
 * it does where a region of a demo is named and an address decides: whoever drains or empties one must not hit another.
 */
import { wrongUsage } from './cli-error.ts';
import type { CommandIo } from './command.ts';
import { chooseDemo, unknownRegion } from './demo-choice.ts';

export interface Choice {
  /** `api` or `admin`: which listener the command talks to. */
  readonly listener: 'api' | 'admin';
  /** Given on the command line: addresses, or a demo and a region of it. */
  readonly given: readonly string[] | undefined;
  readonly demo: string | undefined;
  readonly region: string | undefined;
  readonly io: Pick<CommandIo, 'api' | 'admin' | 'demo' | 'readDemos'>;
}

export interface Target {
  /** Name where it is known before asking. */
  readonly region: string | null;
  /** Process number of the demo it belongs to; `null` where the address was named. */
  readonly demoPid: number | null;
  readonly url: string;
}

/** Every address that the choice names. Throws `CliError`. */
export async function findTargets(choice: Choice): Promise<readonly Target[]> {
  const { listener, given = [], demo: pid, region, io } = choice;
  if (given.length > 0 && pid !== undefined)
    throw wrongUsage(`--${listener} and --demo both say where to go; name one of them`);
  const environment = pid === undefined && io[listener] !== '' ? [io[listener]] : [];
  const named = given.length > 0 ? given : environment;
  if (named.length > 0 && region !== undefined) throw namedTwice(listener, given.length > 0, region);
  if (named.length > 0) return named.map((url) => ({ region: null, demoPid: null, url: checkUrl(url) }));
  const demo = await chooseDemo(pid, io);
  if (demo === null) throw noAddress(listener);
  const regions = demo.regions.filter((known) => region === undefined || known.region === region);
  if (regions.length === 0) throw unknownRegion(demo, region ?? '');
  return regions.map((known) => ({ region: known.region, demoPid: demo.pid, url: known[listener] }));
}

/**
 * The one address to read at, or to write a record at, which any region takes as well as another; it is to be told. The
 * first region of the demo where none is named.
 */
export async function findTarget(choice: Choice): Promise<Target> {
  const [first] = await findTargets(choice);
  if (first === undefined) throw noAddress(choice.listener);
  return first;
}

/**
 * The one region that a command changes. Throws `CliError` where several are meant, because a guess could take the writes
 * of a region that nobody had in mind.
 */
export async function findOne(choice: Choice, regionOption = '--region'): Promise<Target> {
  const [only, ...others] = await findTargets(choice);
  if (only === undefined) throw noAddress(choice.listener);
  if (others.length === 0) return only;
  const names = [only, ...others].map(({ region, url }) => region ?? url).join(', ');
  const options = only.region === null ? `--${choice.listener}, once` : `${regionOption} NAME`;
  throw wrongUsage(`It acts on one region, and ${names} are meant; name one with ${options}.`);
}

/** Where a command went, in words. */
export function placeOf({ region, demoPid, url }: Target): string {
  return demoPid === null ? url : `region ${region} of demo ${demoPid} (${url})`;
}

function noAddress(listener: 'api' | 'admin'): Error {
  return wrongUsage(
    `No region to ask. Name one with --${listener} http://host:port or ISTHMUS_${listener.toUpperCase()}, or start a demo: npm run demo`,
  );
}

function namedTwice(listener: 'api' | 'admin', isGiven: boolean, region: string): Error {
  const source = isGiven ? `--${listener}` : `ISTHMUS_${listener.toUpperCase()}`;
  const shown = JSON.stringify(region.slice(0, 40));
  return wrongUsage(
    `${source} says where to go, and ${shown} is to be a region of a demo; name one of them, or the demo with --demo PID`,
  );
}

function checkUrl(text: string): string {
  const url = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(url)) return url.replace(/\/$/, '');
  throw wrongUsage(`${JSON.stringify(text)} is not an address; it takes http://host:port`);
}
