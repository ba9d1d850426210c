/** What a donor offers that has nothing, for tests that stage one: each of them says what is different with its own. */
import type { Offer } from '../../ports/transfer-peer.ts';

type Donor = Pick<Offer, 'region' | 'incarnation'>;

export function emptyOffer(donor: Donor, different: Partial<Offer> = {}): Offer {
  return {
    ...donor,
    snapshot: 's',
    vector: [],
    beats: [],
    ahead: [],
    whole: [],
    horizon: [],
    floorMs: 0,
    slot: null,
    mayBeEmptied: false,
    beatAgeMs: 0,
    ...different,
  };
}
