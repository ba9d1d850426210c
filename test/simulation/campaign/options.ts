/** The command line of the simulator. */
import { type FaultKind, faultKinds } from '../scenario.ts';

export interface SimOptions {
  /** First seed, and how many follow it. */
  readonly seed: number;
  readonly seeds: number;
  /** Lines of single seeds, to go on from. */
  readonly results: string | null;
  /** Where to write what the whole campaign came to. */
  readonly summary: string | null;
  readonly regions: number | null;
  readonly seconds: number | null;
  /** `null`: as many as there are cores. */
  readonly workers: number | null;
  readonly isHealing: boolean;
  /** The only kinds, in the order of `faultKinds`; `null`: drawn. */
  readonly faults: readonly FaultKind[] | null;
  readonly trace: boolean;
}

export const usage =
  'usage: npm run sim -- [--seed N] [--seeds M] [--results FILE] [--summary FILE] [--regions 2..5] [--seconds S] [--workers W] [--faults KIND,KIND] [--unhealed] [--trace]\n';

const limits: Readonly<Record<string, readonly [number, number]>> = {
  seed: [0, 2 ** 32 - 1],
  seeds: [1, 10_000_000],
  regions: [2, 5],
  seconds: [5, 3600],
  workers: [1, 64],
};

const texts: ReadonlySet<string> = new Set(['results', 'summary', 'faults']);

/** What is wrong, as a sentence, or the options. */
export function readOptions(args: readonly string[], freshSeed: number): SimOptions | string {
  const given = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const name = args[index]?.replace(/^--/, '') ?? '';
    if (name === 'trace' || name === 'unhealed') given.set(name, '');
    else if (name in limits || texts.has(name)) given.set(name, args[++index] ?? '');
    else return `unknown option ${args[index] ?? ''}`;
  }
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = given.get(name);
    if (value === undefined) continue;
    const isInteger = /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most;
    if (!isInteger) return `--${name} is ${value}: take an integer from ${least} to ${most}`;
  }
  const faults = kindsIn(given.get('faults'));
  if (typeof faults === 'string') return faults;
  const numberOf = (name: string): number | null => (given.has(name) ? Number(given.get(name)) : null);
  return {
    seed: numberOf('seed') ?? freshSeed,
    seeds: numberOf('seeds') ?? (given.has('seed') ? 1 : 100),
    results: given.get('results') ?? null,
    summary: given.get('summary') ?? null,
    regions: numberOf('regions'),
    seconds: numberOf('seconds'),
    workers: numberOf('workers'),
    isHealing: !given.has('unhealed'),
    faults,
    trace: given.has('trace'),
  };
}

/** In one order, so that the same kinds draw the same worlds however they are named. */
function kindsIn(text: string | undefined): readonly FaultKind[] | string | null {
  if (text === undefined) return null;
  const names = text.split(',').map((name) => name.trim());
  const kinds = faultKinds.filter((kind) => names.includes(kind));
  const unknown = names.find((name) => !kinds.some((kind) => kind === name));
  if (unknown === undefined) return kinds;
  return `--faults names ${unknown === '' ? 'nothing' : unknown}: take some of ${faultKinds.join(', ')}`;
}
