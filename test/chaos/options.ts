/** The command line of the campaign on real servers. */
export interface ChaosOptions {
  /** Of the first run of each scenario; `null`: that of the results that are taken, else a fresh one. */
  readonly seed: number | null;
  /** How often each scenario runs, each time with the next seed. */
  readonly runs: number;
  /** Names of scenarios; empty: all. */
  readonly only: readonly string[];
  /** JSON lines that the campaign adds to and goes on from. */
  readonly results: string | null;
  /** Goes on from runs of other commits too. */
  readonly isAnyCommit: boolean;
  /** A folder for the histories of all runs; `null`: only those of failed runs are kept. */
  readonly histories: string | null;
  readonly isList: boolean;
  /** Writes the page about the tests from what campaigns have left, and runs nothing. */
  readonly isPage: boolean;
}

export const usage =
  'usage: npm run chaos -- [--list] [--page] [--only NAME,…] [--runs N] [--seed N] [--results FILE [--any-commit]] [--histories FOLDER]\n';

const limits = { seed: [0, 2 ** 31], runs: [1, 1000] } as const;
const flags = new Set(['list', 'page', 'any-commit']);
const names = new Set(['seed', 'runs', 'only', 'results', 'histories']);

/** What is wrong, as a sentence, or the options. */
export function readOptions(args: readonly string[], known: readonly string[]): ChaosOptions | string {
  const given = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const name = args[index]?.replace(/^--/, '') ?? '';
    if (flags.has(name)) given.set(name, '');
    else if (names.has(name)) given.set(name, args[++index] ?? '');
    else return `unknown option ${args[index] ?? ''}`;
  }
  const only = given.get('only')?.split(',') ?? [];
  const strange = only.find((name) => !known.includes(name));
  if (strange !== undefined) return `--only names ${strange}: take of ${known.join(', ')}`;
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = given.get(name);
    if (value === undefined) continue;
    const isInteger = /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most;
    if (!isInteger) return `--${name} is ${value}: take an integer from ${least} to ${most}`;
  }
  const seed = given.get('seed');
  return {
    seed: seed === undefined ? null : Number(seed),
    runs: Number(given.get('runs') ?? 1),
    only,
    results: given.get('results') ?? null,
    isAnyCommit: given.has('any-commit'),
    histories: given.get('histories') ?? null,
    isList: given.has('list'),
    isPage: given.has('page'),
  };
}
