/**
 * Whether a donor may serve a snapshot, and what it says of it (P6). Its own entry is the insert position of the
 * newest beat whose xid is older than everything that the snapshot does not show: a commit may be in the log and yet
 * be invisible to a snapshot that was taken later, but none that ended before that beat began. It does not serve what
 * its relay has not published, because a snapshot that carries such a change leaks it past a later restore; and not
 * below its slot's beginning, because the same gap would come again. A database that was emptied serves nothing before it is
 * filled: it would count as having given the past of its region (P9). Pure.
 */
import type { Published, Standing } from '../ports/transfer-store.ts';
import type { Offer, Refusal } from '../ports/transfer-peer.ts';
import { ownEntries, type Self, upperBound } from '../reach.ts';

export type Judgement =
  | { readonly kind: 'serve'; readonly offer: Omit<Offer, 'snapshot'> }
  /** The relay will have published it soon. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly detail: string };

/**
 * `published` is read later than the standing, which it must reach, and up to the standing's own beat: while the relay
 * catches up, the snapshot itself shows an older beat than the vector has passed, and a lag would be told by that (P7).
 */
export function judgeOffer(self: Self, standing: Standing, published: Published | null): Judgement {
  const { beat, slot, insertLsn, readAtMs } = standing;
  if (standing.refill === 'emptied')
    return refuse('filled-anew', 'the region has not got yet what it had before');
  if (beat === null) return refuse('no-beat', 'no own beat is older than every open transaction');
  if (slot !== null && beat.lsn < slot.from) {
    const detail = `the own entry ${beat.lsn} has not reached the slot's beginning ${slot.from}`;
    return refuse('below-slot', detail);
  }
  if (published === null || published.through < insertLsn) return { kind: 'wait' };
  const { region, incarnation } = self;
  return {
    kind: 'serve',
    offer: {
      region,
      incarnation,
      vector: [...standing.settled, ...ownEntries(self, beat.lsn)],
      beats: [
        ...standing.beats,
        ...(published.passed === null ? [] : [{ region, incarnation, beat: published.passed }]),
      ],
      ahead: upperBound(self, standing),
      whole: standing.whole,
      horizon: standing.horizon,
      floorMs: standing.floorMs,
      slot,
      mayBeEmptied: standing.refill === 'securing',
      beatAgeMs: readAtMs - beat.atMs,
    },
  };
}

function refuse(refusal: Refusal, detail: string): Judgement {
  return { kind: 'refuse', refusal, detail };
}
