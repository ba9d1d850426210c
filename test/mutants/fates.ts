/**
 * What became of each mutant, kept as JSON lines so that a run that was interrupted goes on, and shown as a table. A
 * fate is believed only for the commit at which it was found out.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { JsonLines } from '../json-lines.ts';
import { isSameCommit } from '../place.ts';
import type { Setting } from './hunt.ts';

const fate = z.object({
  commit: z.string(),
  name: z.string(),
  setting: z.enum(['alone', 'bare']),
  /** `null`: it survived. */
  kill: z.object({ seeds: z.number(), by: z.string() }).nullable(),
  /** How many seeds were tried where it survived. */
  maxSeeds: z.number(),
});

export type Fate = z.infer<typeof fate>;

export class FatesFile {
  readonly #lines: JsonLines<Fate>;

  constructor(path: string) {
    this.#lines = new JsonLines(path, fate);
  }

  /** Throws `JsonLinesError`. */
  read(commit: string): readonly Fate[] {
    const fates = this.#lines.read().map(({ value }) => value);
    return fates.filter((each) => isSameCommit(each.commit, commit));
  }

  add(found: Fate): void {
    this.#lines.add(found);
  }
}

/** Of the list in the repository. */
export function readFates(path: string): readonly Fate[] {
  const list: { readonly fates: readonly Fate[] } = JSON.parse(readFileSync(path, 'utf8'));
  return list.fates;
}

/** One row for each mutant. */
export function tableOf(fates: readonly Fate[]): string {
  const names = [...new Set(fates.map(({ name }) => name))];
  const cell = (name: string, setting: Setting): string => {
    const found = fates.find((each) => each.name === name && each.setting === setting);
    return found === undefined ? '' : describe(found);
  };
  const rows = names.map((name) => `| ${name} | ${cell(name, 'alone')} | ${cell(name, 'bare')} |`);
  return ['| mutant | alone | without transfers and sweeps |', '| --- | --- | --- |', ...rows].join('\n');
}

export function describe({ kill, maxSeeds }: Fate): string {
  if (kill === null) return `**survived** ${maxSeeds} seeds`;
  const by = kill.by.replaceAll('|', '/');
  if (kill.seeds === 0) return `suite: ${by.split(' > ').slice(0, 1).join('')}`;
  return `${kill.seeds} seeds: ${by.split(':')[0] ?? ''}`;
}
