/** Every scenario, in the order of the fault matrix. */
import type { Scenario } from './scenario.ts';
import { destroyed } from './scenarios/destroyed.ts';
import { partition } from './scenarios/partition.ts';
import { postgresKilled } from './scenarios/postgres-killed.ts';
import { quiet } from './scenarios/quiet.ts';
import { regionKilled } from './scenarios/region-killed.ts';

export const scenarios: readonly Scenario[] = [quiet, partition, regionKilled, postgresKilled, destroyed];
