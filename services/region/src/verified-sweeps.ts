/**
 * What is proven of a peer: the port `Sweeps`. Digests that are equal prove it at once; under steady writes they hardly
 * ever are, and then it is a clean sweep of the transfer engine that proves it (P7), which is asked for here. The
 * digests that are told beside such a proof are of the moment, and may differ by what was written since.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { SweepDigests, Sweeps } from '@isthmus/replication/ports/sweeps';
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

  async cleanSweepSince(peer: RegionId, sinceMs: number): Promise<SweepDigests | null> {
    const equal = await this.#digests.cleanSweepSince(peer, sinceMs);
    if (equal !== null) return equal;
    const proof = (await this.#verifications.all()).find((known) => known.peer === peer);
    if (proof?.diverged === false && (proof.throughMs ?? 0) > sinceMs) return this.#digests.digests(peer);
    await this.#verifications.want([peer]);
    return null;
  }
}
