/**
 * What a process has stored last of each peer's progress, and how its own clock went then. Readers that come one after the
 * other, because the lock was lost and taken again, share it: so the next one sees what was done to the clock meanwhile (0069).
 */
import type { PeerProgress } from '../ports/beat-store.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';

interface Stored {
  readonly progress: PeerProgress;
  /** The own clock minus the monotonic one. */
  readonly ownBaseMs: number;
  /** It was not known whether the own clock was set before. */
  readonly isRecalled: boolean;
}

export class OwnStores {
  readonly #last = new Map<RegionId, Stored>();

  note(stored: Stored): void {
    this.#last.set(stored.progress.peer, stored);
  }

  /** `null`: another process has stored something since, or the tables are an older copy; the moments of two are never the same. */
  asKnown(known: PeerProgress): Stored | null {
    const last = this.#last.get(known.peer);
    if (last === undefined) return null;
    const { peerIncarnation, heardAtMs, clockOffset } = last.progress;
    const isSame =
      sameIncarnation(peerIncarnation, known.peerIncarnation) &&
      heardAtMs === known.heardAtMs &&
      clockOffset?.measuredAtMs === known.clockOffset?.measuredAtMs;
    return isSame ? last : null;
  }
}
