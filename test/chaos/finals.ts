/** What a region shows at the end of a run, in the form in which the checkers read it. */
import { z } from 'zod';
import type { RegionClient } from '../e2e/region-client.ts';
import { nouns } from './operation.ts';

export interface Finals {
  readonly counters: ReadonlyMap<string, number>;
  readonly bounded: ReadonlyMap<string, number>;
  readonly registers: ReadonlyMap<string, string>;
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>;
  readonly mortals: ReadonlyMap<string, string>;
  readonly texts: ReadonlyMap<string, string>;
  readonly inserts: ReadonlySet<string>;
  /** Everything shown, record by record, for the comparison of regions. */
  readonly shown: ReadonlyMap<string, string>;
}

const value = z.object({
  likes: z.number().default(0),
  stock: z.number().default(0),
  title: z.string().optional(),
  tags: z.array(z.string()).default([]),
  notes: z.string().default(''),
});

type Shown = z.infer<typeof value>;

export async function readFinals(client: RegionClient, prefix: string): Promise<Finals> {
  const records = new Map<string, Shown>();
  const shown = new Map<string, string>();
  for (const [key, found] of await client.list('products')) {
    if (!key.startsWith(prefix)) continue;
    records.set(key, value.parse(found));
    shown.set(key, JSON.stringify(found));
  }
  const of = <T>(noun: string, read: (found: Shown) => T | undefined): ReadonlyMap<string, T> =>
    new Map(
      [...records].flatMap(([key, found]) => {
        const result = key.startsWith(`${prefix}${noun}`) ? read(found) : undefined;
        return result === undefined ? [] : [[key, result] as const];
      }),
    );
  return {
    counters: of(nouns.increment, ({ likes }) => likes),
    bounded: of(nouns.refill, ({ stock }) => stock),
    registers: of(nouns.set, ({ title }) => title),
    sets: of(nouns.add, ({ tags }) => new Set(tags)),
    mortals: of(nouns.put, ({ title }) => title),
    texts: of(nouns.note, ({ notes }) => notes),
    inserts: new Set(of(nouns.insert, ({ title }) => title).keys()),
    shown,
  };
}
