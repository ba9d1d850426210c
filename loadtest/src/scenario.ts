/**
 * What every scenario is given and what it gives back. Scenarios run one after the other on one demo, so each leaves it
 * as it found it: links open, nothing still being applied. A scenario measures and says; it never judges its figures
 * against goals and never prints.
 */
import type { Demo } from './demo.ts';
import type { EngineWriter } from './engine-writer/engine-writer.ts';
import type { Measure } from './measure.ts';
import type { Plot } from './report/plot.ts';
import type { Workload } from './workload.ts';

export interface Effort {
  /** Of every measured piece. */
  readonly runs: number;
  readonly keyCount: number;
  readonly backlogUpdates: number;
  /** One measured stretch at a steady load. */
  readonly stretchMs: number;
  /** One try of a rate search. */
  readonly tryMs: number;
  readonly searchTries: number;
  readonly visiblePerS: number;
  /** How long both sides of a cut are written, and how much. */
  readonly cutMs: number;
  readonly cutPerS: number;
  readonly transferRecords: number;
  /** Records, and then changes behind a cut, under which memory is read, and the rest before that. */
  readonly heldRecords: number;
  readonly restMs: number;
}

export interface Context {
  readonly demo: Demo;
  readonly writer: EngineWriter;
  /** For what goes over HTTP and for the anchors. */
  readonly workload: Workload;
  readonly effort: Effort;
  /** Rates that were found to hold, by measure; scenarios that come later may use them. */
  readonly rates: Map<string, number>;
  /** Resident memory of the larger region process before any load; `null` where no scenario that needs it was asked for. */
  readonly idle: Measure | null;
  readonly say: (line: string) => void;
}

export interface Findings {
  readonly measures: readonly Measure[];
  /** Plain sentences that belong to the figures. */
  readonly notes: readonly string[];
  readonly plots: readonly Plot[];
}

export interface Scenario {
  readonly name: string;
  readonly run: (context: Context) => Promise<Findings>;
}
