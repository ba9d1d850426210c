/** Every scenario, in the order of the fault matrix. */
import type { Scenario } from './scenario.ts';
import { betweenSteps } from './scenarios/between-steps.ts';
import { clockJump } from './scenarios/clock-jump.ts';
import { destroyed } from './scenarios/destroyed.ts';
import { diskFull } from './scenarios/disk-full.ts';
import { duplicates } from './scenarios/duplicates.ts';
import { flapping } from './scenarios/flapping.ts';
import { grayLink } from './scenarios/gray-link.ts';
import { leaderMoves } from './scenarios/leader-moves.ts';
import { nonTransitive } from './scenarios/non-transitive.ts';
import { offsets } from './scenarios/offsets.ts';
import { oneWay } from './scenarios/one-way.ts';
import { partition } from './scenarios/partition.ts';
import { paused } from './scenarios/paused.ts';
import { poison } from './scenarios/poison.ts';
import { postgresKilled } from './scenarios/postgres-killed.ts';
import { quiet } from './scenarios/quiet.ts';
import { regionKilled } from './scenarios/region-killed.ts';
import { resets } from './scenarios/resets.ts';
import { retention } from './scenarios/retention.ts';
import { slotLost } from './scenarios/slot-lost.ts';
import { topicRecreated } from './scenarios/topic-recreated.ts';
import { twins } from './scenarios/twins.ts';
import { wideArea } from './scenarios/wide-area.ts';

export const scenarios: readonly Scenario[] = [
  quiet,
  partition,
  oneWay,
  nonTransitive,
  flapping,
  wideArea,
  grayLink,
  resets,
  regionKilled,
  betweenSteps,
  paused,
  postgresKilled,
  diskFull,
  clockJump,
  duplicates,
  leaderMoves,
  retention,
  topicRecreated,
  offsets,
  slotLost,
  twins,
  poison,
  destroyed,
];
