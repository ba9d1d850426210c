/**
 * A mutant: a mistake that somebody could really make, as a few replacements in built files or in sources, and what is
 * to notice it. Its name says the mistake. `sources` are for suites that stand beside the source; seeds and the suites
 * on real servers run what is built.
 */
export interface Edit {
  /** From the repository's root. */
  readonly file: string;
  /** Stands there once at least; the first is replaced. */
  readonly from: string;
  readonly to: string;
}

export type Killer =
  /** Runs of the simulator. */
  | { readonly kind: 'seeds' }
  /** Files of tests, from the root: for what no simulated world can show. */
  | { readonly kind: 'suite'; readonly tests: readonly string[] };

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly killer: Killer;
}

export const seeds: Killer = { kind: 'seeds' };

export function suite(...tests: readonly string[]): Killer {
  return { kind: 'suite', tests };
}
