/** All pages of a list that is told newest first or by place, as one; for lists that are bounded by their region. */
import type { Target } from './addresses.ts';
import { wrongUsage } from './cli-error.ts';
import { member, queryOf, request } from './request.ts';

interface List {
  readonly path: string;
  /** Which member of the answer holds the page. */
  readonly member: string;
  readonly query: Readonly<Record<string, string>>;
}

const maxItems = 10_000;

export interface Pages {
  readonly found: readonly unknown[];
  /** There are more. */
  readonly isCut: boolean;
}

/** Throws `CliError`. Beyond ten thousand the rest is left out. */
export async function allPages(target: Target, list: List): Promise<Pages> {
  const found: unknown[] = [];
  let after: string | null = null;
  do {
    const url = `${target.url}${list.path}${queryOf({ ...list.query, after })}`;
    const body = await request({ method: 'GET', url });
    const page = member(body, list.member);
    const next = member(body, 'next');
    if (!Array.isArray(page))
      throw wrongUsage(
        `${target.url} is not the admin address of a region; --admin takes that, not the API's.`,
      );
    found.push(...page);
    after = typeof next === 'string' ? next : null;
  } while (after !== null && found.length < maxItems);
  return { found, isCut: after !== null };
}

/** How many there are, as far as is known. */
export function countText({ found, isCut }: Pages, what: string): string {
  const count = `${found.length} ${what}${found.length === 1 ? '' : 's'}`;
  return isCut ? `The first ${count}; there are more` : count;
}
