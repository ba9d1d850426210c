/**
 * Whether what peers have received of a region's own life is what its database holds (P1, I11): a beat that it lacks, or
 * holds with another place or time, is of another database or of a past that this one has lost.
 */
import type { Lsn } from '../ports/change.ts';
import { sameIncarnation } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { RememberedBeat } from '../ports/peer-memory.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import type { OtherPast, Testimony } from './peer-testimony.ts';

export interface OwnPast {
  readonly self: OwnLogProofOptions['self'];
  readonly past: Pick<IdentityStore, 'newestBeat' | 'beats'>;
  /**
   * Beyond it in the write-ahead log lies nothing that the database could have published when the peers answered. `null`:
   * beats alone are compared.
   */
  readonly end: Lsn | null;
}

/** The same beat has the same time, but for how digits are written. */
const sameTimeMs = 1;

/** Own beats are read after the answers, so whatever was received by then has been in the table. */
export async function otherBeats(
  testimonies: readonly Testimony[],
  { self, past, end }: OwnPast,
): Promise<readonly OtherPast[]> {
  const own = (await past.newestBeat()).beat?.number ?? 0;
  const found: OtherPast[] = [];
  for (const { peer, beat } of testimonies) {
    if (beat === 'nothing' || !sameIncarnation(beat.incarnation, self.incarnation)) continue;
    const reason = await differenceOf(beat, { past, own, end });
    if (reason !== null) found.push({ peer, beat, reason: `${peer} has ${reason}` });
  }
  return found;
}

async function differenceOf(
  beat: RememberedBeat,
  { past, own, end }: { readonly past: OwnPast['past']; readonly own: number; readonly end: OwnPast['end'] },
): Promise<string | null> {
  // Between two beats as well: what a standby lacks that takes over is mostly less than the time between them.
  if (end !== null && beat.applied !== null && beat.applied > end)
    return `applied changes up to ${beat.applied}, and the database ends at ${end}`;
  if (beat.number > own) return `received beat ${beat.number}, the database holds none after ${own}`;
  if (await isAnother(beat, past))
    return `received beat ${beat.number}, and it is another than the database's`;
  return null;
}

/** The numbers of a copy soon pass those that were lost; a beat that is no longer kept says nothing. */
async function isAnother({ number, made }: RememberedBeat, past: OwnPast['past']): Promise<boolean> {
  if (made === null) return false;
  const [kept] = await past.beats(number, number);
  return kept !== undefined && (kept.lsn !== made.lsn || Math.abs(kept.atMs - made.atMs) > sameTimeMs);
}
