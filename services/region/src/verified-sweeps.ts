/**
 * What is proven of a peer: the port `Sweeps`. Digests that are equal prove it at once; under steady writes they hardly
 * ever are, and then it is a clean sweep of the transfer engine that proves it (P7), which is asked for here. Digests
 * read every record of both sides from one snapshot each, which costs as much as thousands of writes and keeps Postgres
 * from tidying up behind them: so they are not even compared while anybody writes. The digests that are told beside a
 * proof by transfer are of the moment, and may differ by what was written since or lack what a side could not tell: the
 * proof holds without them.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { SweepDigests, Sweeps, WantedSweep } from '@isthmus/replication/ports/sweeps';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import type { DigestSweep } from './digest-sweep.ts';

export class VerifiedSweeps implements Sweeps {
  readonly #digests: Pick<DigestSweep, 'cleanSweepSince' | 'digests'>;
  readonly #verifications: Pick<VerificationStore, 'all' | 'want'>;

  constructor(
    digests: Pick<DigestSweep, 'cleanSweepSince' | 'digests'>,
    verifications: Pick<VerificationStore, 'all' | 'want'>,
  ) {
    this.#digests = digests;
    this.#verifications = verifications;
  }

  async cleanSweepSince(peer: RegionId, wanted: WantedSweep): Promise<SweepDigests | null> {
    const { sinceMs, isStill, signal } = wanted;
    const equal = isStill ? await this.#digests.cleanSweepSince(peer, wanted) : null;
    if (equal !== null || signal.aborted) return equal;
    const proof = (await this.#verifications.all()).find((known) => known.peer === peer);
    if (proof?.diverged === false && (proof.throughMs ?? 0) > sinceMs) {
      const told = await this.#digests.digests(peer, signal);
      return signal.aborted ? null : told;
    }
    if (signal.aborted) return null;
    await this.#verifications.want([peer]);
    return null;
  }
}
