/**
 * What became of each mutant, kept as JSON lines so that a run that was interrupted goes on, and shown as a table. A
 * fate is believed only for the commit at which it was found out.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Kill, Setting } from './hunt.ts';

export interface Fate {
  readonly commit: string;
  readonly name: string;
  readonly setting: Setting;
  /** `null`: it survived. */
  readonly kill: Kill | null;
  /** How many seeds were tried where it survived. */
  readonly maxSeeds: number;
}

export class FatesFile {
  readonly #path: string | null;

  constructor(path: string | null) {
    this.#path = path;
  }

  read(commit: string): readonly Fate[] {
    if (this.#path === null || !existsSync(this.#path)) return [];
    const fates = readFileSync(this.#path, 'utf8').split('\n').flatMap(parse);
    return fates.filter((fate) => fate.commit === commit);
  }

  add(fate: Fate): void {
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify(fate)}\n`);
  }
}

/** Of the list in the repository. */
export function readFates(path: string): readonly Fate[] {
  const list: { readonly fates: readonly Fate[] } = JSON.parse(readFileSync(path, 'utf8'));
  return list.fates;
}

function parse(line: string): readonly Fate[] {
  try {
    const fate: Fate = JSON.parse(line);
    return [fate];
  } catch (reason) {
    if (reason instanceof SyntaxError) return [];
    throw reason;
  }
}

/** One row for each mutant. */
export function tableOf(fates: readonly Fate[]): string {
  const names = [...new Set(fates.map(({ name }) => name))];
  const cell = (name: string, setting: Setting): string => {
    const fate = fates.find((each) => each.name === name && each.setting === setting);
    return fate === undefined ? '' : describe(fate);
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
