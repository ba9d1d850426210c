/** All mistakes that the suites have to notice. */
import { conflictMutants } from './conflict-mutants.ts';
import { figureMutants } from './figure-mutants.ts';
import { honestyMutants } from './honesty-mutants.ts';
import type { Mutant } from './mutant.ts';
import { pathMutants } from './path-mutants.ts';
import { repairMutants } from './repair-mutants.ts';
import { retirementMutants } from './retirement-mutants.ts';
import { sealMutants } from './seal-mutants.ts';
import { storeMutants } from './store-mutants.ts';

export const mutants: readonly Mutant[] = [
  ...pathMutants,
  ...storeMutants,
  ...repairMutants,
  ...retirementMutants,
  ...figureMutants,
  ...honestyMutants,
  ...sealMutants,
  ...conflictMutants,
];
