/**
 * One row of the fault matrix as something that can be run: what it needs, and what happens in it while writers go on.
 * What is promised whatever the fault (convergence, nothing lost, exact counters, honest gauges, availability where
 * nothing was struck) is judged by the runner, the same for all; a scenario adds that its fault really fired, and what
 * is promised for this fault alone. It throws where one of these does not hold.
 */
import type { History, Violation } from '../checkers/history.ts';
import type { Ending } from './endings.ts';
import type { Finals } from './finals.ts';
import type { Oracle } from './oracle.ts';
import type { Stage } from './stage.ts';

/** What some machines have and others do not. */
export type Need = 'root' | 'nft' | 'faketime';

export interface Ended {
  readonly history: History;
  readonly finals: ReadonlyMap<string, Finals>;
  readonly oracle: Oracle;
  readonly seed: number;
}

/** Is told what to do at the end of a run, however it ends. */
export type OnEnd = (end: Ending) => void;

export interface Scenario {
  readonly name: string;
  /** Of the fault matrix; 0: no fault at all. */
  readonly row: number;
  /** What happens, in one sentence. */
  readonly about: string;
  readonly regions: readonly string[];
  readonly needs: readonly Need[];
  /** Regions that are not there at the end. */
  readonly destroyed: readonly string[];
  /** Acknowledged writes may be gone at the end, and `judge` says how many. */
  readonly isLossy?: boolean;
  /** Makes ready where the servers are to keep their data. */
  readonly prepare?: (folder: string, onEnd: OnEnd) => Promise<void>;
  /** Further variables of the environment of a region's database. */
  readonly databaseEnvironment?: (region: string, folder: string) => Readonly<Record<string, string>>;
  /** What is promised for this fault alone, at the end. */
  readonly judge?: (ended: Ended) => readonly Violation[];
  /** Resolves with what shows that the fault fired, for people. */
  readonly run: (stage: Stage) => Promise<string>;
}

export const pair = { regions: ['eu', 'us'], needs: [], destroyed: [] } as const;
export const three = { regions: ['eu', 'us', 'ap'], needs: [], destroyed: [] } as const;
