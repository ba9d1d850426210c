/**
 * Where a command goes: what `--api` and `--admin` name, else the environment, else the regions of the running demo.
 */
import { wrongUsage } from './cli-error.ts';

export interface DemoRegion {
  readonly region: string;
  readonly api: string;
  readonly admin: string;
}

export interface Demo {
  readonly regions: readonly DemoRegion[];
  /** Address of the demo's controls. */
  readonly control: string;
}

export interface Choice {
  /** `api` or `admin`: which listener the command talks to. */
  readonly listener: 'api' | 'admin';
  /** Given on the command line. */
  readonly given: readonly string[];
  /** Of the environment; empty where not set. */
  readonly environment: string;
  /** Region of the demo to use. */
  readonly region: string | undefined;
  readonly readDemo: () => Promise<Demo | null>;
}

export interface Target {
  /** Name where it is known before asking. */
  readonly region: string | null;
  readonly url: string;
}

/** Every address that the choice names. Throws `CliError`. */
export async function findTargets(choice: Choice): Promise<readonly Target[]> {
  const named =
    choice.given.length > 0 ? choice.given : choice.environment === '' ? [] : [choice.environment];
  if (named.length > 0) return named.map((url) => ({ region: null, url: checkUrl(url) }));
  const demo = await choice.readDemo();
  if (demo === null) throw noAddress(choice.listener);
  const regions = demo.regions.filter(
    ({ region }) => choice.region === undefined || region === choice.region,
  );
  if (regions.length === 0) throw unknownRegion(demo, choice.region ?? '');
  return regions.map((region) => ({ region: region.region, url: region[choice.listener] }));
}

/** The one address to go to: the first region of the demo where none is named. */
export async function findTarget(choice: Choice): Promise<Target> {
  const [first] = await findTargets(choice);
  if (first === undefined) throw noAddress(choice.listener);
  return first;
}

export async function requireDemo(readDemo: () => Promise<Demo | null>): Promise<Demo> {
  const demo = await readDemo();
  if (demo !== null) return demo;
  throw wrongUsage('No demo runs. Start one with: npm run demo');
}

export function unknownRegion(demo: Demo, region: string): Error {
  const names = demo.regions.map((known) => known.region).join(', ');
  return wrongUsage(`The demo has no region ${JSON.stringify(region)}; it has ${names}.`);
}

function noAddress(listener: 'api' | 'admin'): Error {
  return wrongUsage(
    `No region to ask. Name one with --${listener} http://host:port or ISTHMUS_${listener.toUpperCase()}, or start a demo: npm run demo`,
  );
}

function checkUrl(text: string): string {
  const url = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(url)) return url.replace(/\/$/, '');
  throw wrongUsage(`${JSON.stringify(text)} is not an address; it takes http://host:port`);
}
