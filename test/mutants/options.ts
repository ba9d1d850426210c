/** The command line of the mutants. */
export interface MutantOptions {
  /** Seeds that one mutant may survive before it counts as a survivor. */
  readonly maxSeeds: number;
  readonly only: string | null;
  readonly results: string | null;
  /** Writes the table into the repository when all are through. */
  readonly isWritten: boolean;
}

export const usage = 'usage: npm run mutants -- [--seeds N] [--only NAME] [--results FILE] [--write]\n';

const named = new Set(['seeds', 'only', 'results']);

/** What is wrong, as a sentence, or the options. */
export function readMutantOptions(args: readonly string[]): MutantOptions | string {
  const given = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const name = args[index]?.replace(/^--/, '') ?? '';
    if (name === 'write') given.set(name, '');
    else if (named.has(name)) given.set(name, args[++index] ?? '');
    else return `unknown option ${args[index] ?? ''}`;
  }
  const seeds = given.get('seeds') ?? '400';
  if (!/^[1-9]\d{0,5}$/.test(seeds)) return `--seeds is ${seeds}: take an integer from 1 to 999999`;
  return {
    maxSeeds: Number(seeds),
    only: given.get('only') ?? null,
    results: given.get('results') ?? null,
    isWritten: given.has('write'),
  };
}
