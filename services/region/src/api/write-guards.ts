/**
 * Refuses writes that the guard of their collection does not let pass now, and all of a region that was retired or drained,
 * or has not joined its peers yet. It is asked before anything is queued, a batch is refused whole with every write at fault
 * named, and nothing else of a region depends on it: neither reads nor `/readyz`.
 */
import type { Draining } from '@isthmus/replication/guard/draining';
import type { GuardWatch } from '@isthmus/replication/guard/guard-watch';
import type { Joining } from '@isthmus/replication/guard/joining';
import type { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import type { Verdict } from '@isthmus/replication/guard/write-guard';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { Problem, type Violation } from '../problem.ts';

export interface WriteGuardsOptions {
  readonly region: RegionId;
  readonly watch: Pick<GuardWatch, 'judge'>;
  readonly retirement: Pick<OwnRetirement, 'isRetired'>;
  readonly joining: Pick<Joining, 'waitsFor' | 'notNamedBy'>;
  readonly draining: Pick<Draining, 'isDrained'>;
  /** A write to this collection was refused. */
  readonly onRefused: (collection: string) => void;
}

type Refusal = Exclude<Verdict, { readonly kind: 'accept' }>;

export class WriteGuards {
  readonly #options: WriteGuardsOptions;

  constructor(options: WriteGuardsOptions) {
    this.#options = options;
  }

  /**
   * Throws `region-retired`, `region-drained`, `region-joining` or `write-guarded`. `fieldOf` says where the request holds
   * the write to the collection at an index.
   */
  check(collections: readonly string[], fieldOf: (index: number) => string): void {
    const { region, watch, retirement, draining, joining, onRefused } = this.#options;
    if (retirement.isRetired) throw retired(region);
    if (draining.isDrained) throw drained(region);
    if (joining.waitsFor.length > 0) throw notJoined(region, joining);
    const refused: { readonly collection: string; readonly verdict: Refusal; readonly field: string }[] = [];
    const verdicts = new Map<string, Verdict>();
    for (const [index, collection] of collections.entries()) {
      const verdict = verdicts.get(collection) ?? watch.judge(collection);
      verdicts.set(collection, verdict);
      if (verdict.kind !== 'accept') refused.push({ collection, verdict, field: fieldOf(index) });
    }
    const [first] = refused;
    if (first === undefined) return;
    for (const { collection } of refused) onRefused(collection);
    throw new Problem('write-guarded', detailOf(first.collection, first.verdict), {
      violations: refused.map(({ verdict, field }) => this.#violation(verdict, field)),
    });
  }

  #violation(verdict: Refusal, field: string): Violation {
    if (verdict.kind === 'not-home')
      return { field, rule: 'home-region', limit: verdict.home, value: this.#options.region };
    const { seconds, changes, peers } = verdict.budget;
    return { field, rule: 'budget', limit: { seconds, changes, peers }, value: { peers: verdict.within } };
  }
}

function retired(region: RegionId): Problem {
  return new Problem(
    'region-retired',
    `The region ${region} was retired and its peers take nothing of it any more; nothing was written.`,
  );
}

function drained(region: RegionId): Problem {
  return new Problem(
    'region-drained',
    `The region ${region} was drained by an operator; nothing was written.`,
  );
}

function notJoined(region: RegionId, { waitsFor, notNamedBy }: WriteGuardsOptions['joining']): Problem {
  const unnamed =
    notNamedBy.length === 0 ? '' : ` ${notNamedBy.join(', ')} must be configured with it as a peer.`;
  const detail = `The region ${region} is new and waits for ${waitsFor.join(', ')}; nothing was written.${unnamed}`;
  return new Problem('region-joining', detail, { headers: { 'retry-after': '2' } });
}

function detailOf(collection: string, verdict: Refusal): string {
  const name = JSON.stringify(collection);
  if (verdict.kind === 'not-home')
    return `The collection ${name} is written in its home region ${verdict.home} only; nothing was written.`;
  const { within, budget } = verdict;
  const enough = budget.peers === 1 ? 'one is needed' : `${budget.peers} are needed`;
  return `${within} peers have confirmed what was written here within the budget of collection ${name}, and ${enough}; nothing was written.`;
}
