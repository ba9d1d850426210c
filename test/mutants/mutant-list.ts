/** All mistakes that the suites have to notice, and those that cannot be made yet because what they would break is absent. */
import { conflictMutants } from './conflict-mutants.ts';
import { honestyMutants } from './honesty-mutants.ts';
import type { Mutant } from './mutant.ts';
import { pathMutants } from './path-mutants.ts';
import { repairMutants } from './repair-mutants.ts';
import { retirementMutants } from './retirement-mutants.ts';

export const mutants: readonly Mutant[] = [
  ...pathMutants,
  ...repairMutants,
  ...retirementMutants,
  ...honestyMutants,
  ...conflictMutants,
];

export const notBuilt: readonly { readonly name: string; readonly needs: string }[] = [
  { name: 'signature unchecked', needs: 'P4: log records carry no signature' },
];
