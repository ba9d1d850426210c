/**
 * What else was tried, for the page about the tests: mistakes that were made on purpose, with what noticed them, the
 * last campaign of the simulator, and the last soak. All are read from the files that they leave.
 */
import { readFileSync } from 'node:fs';
import { shortNumber } from '@isthmus/loadtest/report/plot';
import { z } from 'zod';
import { optionsOf } from '../simulation/campaign/drawn-by.ts';
import type { StoredSummary } from '../simulation/campaign/summary-file.ts';

const kill = z.object({ seeds: z.number(), by: z.string() });
const fate = z.object({
  commit: z.string(),
  name: z.string(),
  /** `bare`: without what repairs. */
  setting: z.string(),
  /** `null`: nothing noticed it. */
  kill: kill.nullable(),
  maxSeeds: z.number(),
});
const mutants = z.object({ fates: z.array(fate) });

const soak = z.object({
  about: z.object({
    startedAt: z.string(),
    commit: z.string(),
    machine: z.string(),
    minutes: z.number(),
    ratePerS: z.number(),
    seed: z.number(),
    log: z.string(),
  }),
  totals: z.object({
    acknowledged: z.number(),
    refused: z.number(),
    unknown: z.number(),
    shed: z.number(),
  }),
  faults: z.number(),
  slowestS: z.number(),
  violations: z.array(z.string()),
  measures: z.array(
    z.object({
      region: z.string(),
      title: z.string(),
      unit: z.string(),
      /** Absent: too short to be judged. */
      first: z.number().optional(),
      last: z.number().optional(),
      verdict: z.string(),
    }),
  ),
});

export type Soaked = z.infer<typeof soak>;
export type Mutants = z.infer<typeof mutants>;
type Fate = z.infer<typeof fate>;

export function readMutants(path: string): Mutants {
  return mutants.parse(JSON.parse(readFileSync(path, 'utf8')));
}

export function readSoak(path: string): Soaked {
  return soak.parse(JSON.parse(readFileSync(path, 'utf8')));
}

export function soakText({ about, totals, faults, slowestS, violations, measures }: Soaked): string {
  const rows = measures.map(({ region, title, unit, first, last, verdict }) => {
    const [from, to] = [first, last].map((figure) => (figure === undefined ? '' : shortNumber(figure)));
    return `| ${[region, `${title}, ${unit}`, from, to, verdict].join(' | ')} |`;
  });
  return [
    `## ${about.minutes === 60 ? 'An hour' : `${about.minutes} minutes`} of everything`,
    '',
    `${about.minutes} minutes at ${about.ratePerS} writes a second, seed ${about.seed}, the log in ${about.log}: ${totals.acknowledged} acknowledged, ` +
      `${totals.refused} refused, ${totals.unknown} without an answer, ${totals.shed} not sent because too many waited; ${faults} faults, the slowest whole again after ${slowestS.toFixed(1)} s. ` +
      `${violations.length === 0 ? 'The regions agree, and no increment is lost or doubled' : violations.join('; ')}. ` +
      `Commit ${about.commit}; ${about.machine}; ${about.startedAt.slice(0, 10)}.`,
    '',
    '| region | measure | after warm-up | at the end | |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

export function simulationText(found: StoredSummary): string {
  const { seeds, failed, twice, virtualSeconds, acknowledged, medians, rate, commit, machine, options } =
    found;
  const drawn = optionsOf(options);
  return [
    '## Simulation',
    '',
    `${seeds} seeds${drawn === '' ? '' : ` of worlds drawn by \`${drawn.trim()}\``}, ${failed} failed, ${twice} of them run twice with equal traces: ${Math.round(virtualSeconds / 3600)} hours of ` +
      `virtual time and ${acknowledged} acknowledged writes. A seed is ${medians.virtualSeconds} virtual seconds with ` +
      `${medians.acknowledged} acknowledged writes and ${medians.overlappingFaults} overlapping faults in the median; ` +
      `${rate} times real time on one core. Commit ${commit}; ${machine}.`,
    '',
  ].join('\n');
}

export function mutantsTable({ fates }: Mutants): string {
  const names = [...new Set(fates.map(({ name }) => name))];
  const of = (name: string, setting: string): Fate | undefined =>
    fates.find((each) => each.name === name && each.setting === setting);
  const rows = names.map((name) => `| ${name} | ${told(of(name, 'alone'))} | ${told(of(name, 'bare'))} |`);
  const survivors = names.filter((name) => fates.some((each) => each.name === name && each.kill === null));
  return [
    '## Mistakes made on purpose',
    '',
    'A copy of the repository is broken in one way at a time (`npm run mutants`), as it is and without what repairs, and the',
    'suites and the simulator have to notice. A number says after how many seeds the simulator did.',
    '',
    `${names.length} tried, ${names.length - survivors.length} noticed${listed(', not noticed: ', survivors)}.`,
    `Commits: ${[...new Set(fates.map(({ commit }) => commit))].join(', ')}.`,
    '',
    '| mistake | noticed | noticed without repair |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function listed(title: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${title}${names.join(', ')}`;
}

function told(found: Fate | undefined): string {
  if (found === undefined) return 'not tried';
  if (found.kill === null) return `**no**, in ${found.maxSeeds} seeds`;
  const by = found.kill.by.replaceAll('|', '/').split(' > ')[0] ?? '';
  return found.kill.seeds === 0 ? by : `${found.kill.seeds}: ${by.split(':')[0] ?? ''}`;
}
