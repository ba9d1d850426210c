/** What peers say of the region, and how long one that says nothing is waited for (0046). */
import type { Incarnation, RegionId } from '../ports/identity.ts';
import { sameIncarnation } from '../ports/identity.ts';
import type { PeerMemory, RememberedBeat } from '../ports/peer-memory.ts';

export interface Testimony {
  readonly peer: RegionId;
  readonly beat: RememberedBeat | 'nothing';
}

/** What a peer knows of the region and the database does not. */
export interface OtherPast {
  readonly peer: RegionId;
  readonly beat: RememberedBeat;
  readonly reason: string;
}

export const peerLookIntervalMs = 5000;
/** How long peers are waited for that do not answer. */
export const patienceMs = 5000;

/** Of those that answer. */
export async function askPeers({
  peers,
  memory,
}: {
  readonly peers: readonly RegionId[];
  readonly memory: PeerMemory;
}): Promise<readonly Testimony[]> {
  const told = await Promise.all(
    peers.map(async (peer) => ({ peer, beat: await memory.rememberedBy(peer) })),
  );
  return told.flatMap(({ peer, beat }) => (beat === null ? [] : [{ peer, beat }]));
}

/** Under which the region is known and which are neither that of the database nor one before it. */
export function otherLives(testimonies: readonly Testimony[], own: Incarnation): readonly OtherPast[] {
  return testimonies.flatMap(({ peer, beat }) => {
    if (beat === 'nothing') return [];
    const { incarnation } = beat;
    if (incarnation.counter < own.counter || sameIncarnation(incarnation, own)) return [];
    const reason = `${peer} knows the region as incarnation ${incarnation.counter}, which is not that of the database`;
    return [{ peer, beat, reason }];
  });
}
