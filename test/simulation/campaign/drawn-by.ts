/**
 * By which options the worlds of a campaign are drawn. Seeds that were drawn by others are other worlds, so what they
 * came to is never added up.
 */
import { z } from 'zod';
import { faultKinds, type ScenarioOptions } from '../scenario.ts';

export const drawnBy = z.object({
  regions: z.number().nullable(),
  seconds: z.number().nullable(),
  isHealing: z.boolean(),
  /** Absent in what was written before there was the choice. */
  faults: z.array(z.enum(faultKinds)).readonly().nullable().default(null),
});

/** What must be the same in all that a campaign adds up. */
export interface CampaignKind {
  readonly commit: string;
  readonly options: ScenarioOptions;
}

export function drawnByOf({ regions, seconds, isHealing, faults }: ScenarioOptions): ScenarioOptions {
  return { regions, seconds, isHealing, faults };
}

export function isDrawnAlike(one: ScenarioOptions, other: ScenarioOptions): boolean {
  return optionsOf(one) === optionsOf(other);
}

/** As on the command line, each with a space before it; empty: the usual worlds. */
export function optionsOf({ regions, seconds, isHealing, faults }: ScenarioOptions): string {
  return [
    regions === null ? '' : ` --regions ${regions}`,
    seconds === null ? '' : ` --seconds ${seconds}`,
    isHealing ? '' : ' --unhealed',
    faults === null ? '' : ` --faults ${faults.join(',')}`,
  ].join('');
}

/** Why a file cannot be gone on from. */
export function drawnOtherwise(found: ScenarioOptions, wanted: ScenarioOptions): string {
  const [one, other] = [found, wanted].map((options) => optionsOf(options).trim() || 'no options');
  return `of worlds drawn by ${one}, and these are drawn by ${other}: name another file`;
}
