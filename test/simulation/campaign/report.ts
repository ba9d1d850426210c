/**
 * What a campaign came to: how fast, how much each seed really did, and whether everything that should happen now and
 * then did happen. A campaign in which something never happened proves less than it seems to, so it fails.
 */
import type { Violation } from '../../checkers/history.ts';
import type { ScenarioOptions } from '../scenario.ts';
import { optionsOf } from './drawn-by.ts';
import type { Summary } from './summary.ts';

/** Things that a campaign of some size must have met. */
export const sometimes: readonly string[] = [
  'conflict resolved',
  'fence used',
  'gap seen: missing-interval',
  'quarantine',
  'record refused',
  'records sent twice',
  'poison',
  'forged record dropped: changes',
  'forged record dropped: progress',
  'forged record dropped: control',
  'writes batched',
  'guard refused',
  'region waits for its peers',
  'write refused while joining',
  'first write of a region that came late',
  'first write after a peer had become another incarnation',
  'barrier finished',
  'tombstone dropped',
  'past awaited: start',
  'past awaited: transfer',
  'transfer: gap',
  'transfer: slot-lost',
  'transfer: own-past',
  'transfer: tail',
  'transfer: other-incarnation',
  'transfer: no-position',
  'transfer: repair',
  'transfer: sweep',
  'identity proven',
  'identity refused',
  'incarnation changed',
  'database restored',
  'incident declared',
  'incident reconciled',
  'long cut',
  'cut of more than a minute',
  'named: partitioned',
  'named: one-way-in',
  'named: one-way-out',
  'breakage judged',
  'incident due',
  'backlog judged',
  'rpo changes judged',
  'read again',
  'lock lost',
  'publish repeated',
  'counts not stored',
  'unknown outcome',
  'killed before commit',
  'killed after commit',
  'killed before apply',
  'killed after apply',
  'killed after publish',
  'killed after published',
  'crash lost unflushed commits',
  'process took over',
  'region destroyed with loss',
  'region retired',
  'region drained',
  'write refused while drained',
  'drained region is all at its peers',
  'region filled anew',
  'transfer: refill',
  'peers testified',
  'session served elsewhere',
  'session not reached',
  'session lost',
  'writes opened in silence',
];

/** From so many seeds on the list must be complete. */
const completeFrom = 200;

const least = { virtualSeconds: 60, acknowledged: 300, overlappingFaults: 2 };

export interface Report {
  readonly text: string;
  readonly isPassed: boolean;
}

/** `fresh` is what this run of the program did itself; the rest comes from a results file. */
export function reportOn(
  all: Summary,
  {
    fresh,
    tookMs,
    drawnBy,
  }: { readonly fresh: Summary; readonly tookMs: number; readonly drawnBy: ScenarioOptions },
): Report {
  const isUsual = optionsOf(drawnBy) === '';
  const { seeds, failed, twice, medians, coverage } = all;
  const never = sometimes.filter((point) => coverage[point] === undefined);
  const isCovered = never.length === 0 || seeds < completeFrom || !isUsual;
  const isBusy =
    !isUsual ||
    (medians.virtualSeconds >= least.virtualSeconds &&
      medians.acknowledged >= least.acknowledged &&
      medians.overlappingFaults >= least.overlappingFaults);
  const lines = [
    `${seeds} seeds, ${failed} failed, ${twice} run twice`,
    `${fresh.seeds} run now in ${Math.round(tookMs / 1000)} s: ` +
      `${Math.round(fresh.virtualSeconds)} virtual seconds, ${fresh.rate}x real time per core`,
    `medians per seed: ${medians.virtualSeconds} virtual seconds, ` +
      `${medians.acknowledged} acknowledged writes, ${medians.overlappingFaults} overlapping faults`,
    `${sometimes.length - never.length} of ${sometimes.length} things that must happen now and then did:`,
    ...Object.entries(coverage).map(([point, count]) => `  ${point}: ${count}`),
    ...never.map((point) => `  never: ${point}`),
  ];
  if (!isUsual) lines.push(`not all of it can be asked of worlds drawn by${optionsOf(drawnBy)}`);
  if (!isBusy) lines.push(`a seed must do at least ${JSON.stringify(least)}`);
  return { text: `${lines.join('\n')}\n`, isPassed: failed === 0 && isCovered && isBusy };
}

export function describe({ checker, key, detail }: Violation): string {
  return `  ${checker}: ${key}: ${detail}`;
}
