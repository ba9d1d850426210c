/**
 * What is proven of a peer: the port `Sweeps`. Digests that are equal prove it at once; under steady writes they hardly
 * ever are, and then it is a clean sweep of the transfer engine that proves it (P7), which is asked for here. Digests
 * read every record of both sides from one snapshot each, which costs as much as thousands of writes and keeps Postgres
 * from tidying up behind them: so they are not even compared while anybody writes. The digests that are told beside a
 * proof by transfer are of the moment, and may differ by what was written since or lack what a side could not tell: the
 * proof holds without them. Which sweeps count is told by their numbers, from the one on that would have begun next when the
 * moment was first asked about. That is kept in memory: after a restart one more sweep is waited for.
 */
import { assert } from '@isthmus/replication/errors';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { SweepDigests, Sweeps, WantedSweep } from '@isthmus/replication/ports/sweeps';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import type { DigestSweep } from './digest-sweep.ts';

/** From which sweep on a clean one proves something of the moment. */
interface Awaited {
  readonly since: string;
  readonly sweep: number;
}

export class VerifiedSweeps implements Sweeps {
  readonly #digests: Pick<DigestSweep, 'cleanSweepSince' | 'digests'>;
  readonly #verifications: Pick<VerificationStore, 'all' | 'want'>;
  readonly #awaited = new Map<RegionId, Awaited>();

  constructor(
    digests: Pick<DigestSweep, 'cleanSweepSince' | 'digests'>,
    verifications: Pick<VerificationStore, 'all' | 'want'>,
  ) {
    this.#digests = digests;
    this.#verifications = verifications;
  }

  async cleanSweepSince(peer: RegionId, wanted: WantedSweep): Promise<SweepDigests | null> {
    const { since, isStill, mayCompare, signal } = wanted;
    const equal = isStill && mayCompare ? await this.#digests.cleanSweepSince(peer, wanted) : null;
    if (equal !== null || signal.aborted) return equal;
    if (await this.#isProven(peer, since)) {
      const told = await this.#digests.digests(peer, signal);
      return signal.aborted ? null : told;
    }
    if (mayCompare && !signal.aborted) await this.#want(peer, since);
    return null;
  }

  async #isProven(peer: RegionId, since: string): Promise<boolean> {
    const awaited = this.#awaited.get(peer);
    if (awaited?.since !== since) return false;
    const known = (await this.#verifications.all()).find((each) => each.peer === peer);
    return known?.diverged === false && known.cleanSweep !== null && known.cleanSweep >= awaited.sweep;
  }

  /** Asked again, because the one that was wanted may not have come to its end; what counts stays. */
  async #want(peer: RegionId, since: string): Promise<void> {
    const sweep = (await this.#verifications.want([peer])).get(peer);
    assert(sweep !== undefined, 'who wants a sweep hears its number');
    if (this.#awaited.get(peer)?.since !== since) this.#awaited.set(peer, { since, sweep });
  }
}
