/** The command line of the mutants. */
export interface MutantOptions {
  /** Seeds that one mutant may survive before it counts as a survivor. */
  readonly maxSeeds: number;
  /** Names of mutants; empty: all. */
  readonly only: readonly string[];
  readonly results: string | null;
  /** Writes the table into the repository when all are through; with `only` the rest of it stays as it is. */
  readonly isWritten: boolean;
}

export const usage = 'usage: npm run mutants -- [--seeds N] [--only NAME]… [--results FILE] [--write]\n';

const named = new Set(['--seeds', '--only', '--results']);

/** What is wrong, as a sentence, or the options. */
export function readMutantOptions(args: readonly string[]): MutantOptions | string {
  const given = new Map<string, string>();
  const only: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const name = args[index] ?? '';
    if (name === '--write') given.set(name, '');
    else if (named.has(name)) {
      const value = args[++index] ?? '';
      if (value === '') return `${name} takes a value`;
      if (name === '--only') only.push(value);
      else given.set(name, value);
    } else return `unknown option ${name}`;
  }
  const seeds = given.get('--seeds') ?? '400';
  if (!/^[1-9]\d{0,5}$/.test(seeds)) return `--seeds is ${seeds}: take an integer from 1 to 999999`;
  return {
    maxSeeds: Number(seeds),
    only,
    results: given.get('--results') ?? null,
    isWritten: given.has('--write'),
  };
}
