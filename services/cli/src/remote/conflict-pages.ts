/**
 * Conflicts of a region, page after page. A page is let go before the next one is asked for, so any number of conflicts
 * takes no more memory than one page; a page may be empty, because a region looks through a bounded number of records
 * for each.
 */
import type { Target } from './addresses.ts';
import { CliError, wrongUsage } from './cli-error.ts';
import { member, queryOf, request } from './request.ts';

export interface ConflictQuery {
  readonly collection: string | null;
  readonly key: string | null;
}

interface ConflictPage {
  readonly conflicts: readonly unknown[];
  /** Records that the region's version is too old to read. */
  readonly unreadable: readonly unknown[];
  /** Records that the region has looked at for it. */
  readonly scanned: number;
}

/** Throws `CliError`; once `interrupted` is aborted, 1. */
export async function* conflictPages(
  target: Target,
  query: ConflictQuery,
  interrupted: AbortSignal,
): AsyncGenerator<ConflictPage> {
  let after: string | null = null;
  do {
    if (interrupted.aborted) throw new CliError(1, 'Interrupted; what was shown is not all.');
    const url = `${target.url}/v1/conflicts${queryOf({ ...query, after })}`;
    const body = await request({ method: 'GET', url });
    const { next, ...page } = pageOf(body, target);
    yield page;
    after = next;
  } while (after !== null);
}

function pageOf(body: unknown, target: Target): ConflictPage & { readonly next: string | null } {
  const [conflicts, scanned, next] = ['conflicts', 'scanned', 'next'].map((name) => member(body, name));
  const unreadable = member(body, 'unreadable');
  if (Array.isArray(conflicts) && typeof scanned === 'number')
    return {
      conflicts,
      unreadable: Array.isArray(unreadable) ? unreadable : [],
      scanned,
      next: typeof next === 'string' ? next : null,
    };
  throw wrongUsage(`${target.url} is not the admin address of a region; --admin takes that, not the API's.`);
}
