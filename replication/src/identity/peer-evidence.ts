/**
 * Peers as witnesses, for a region whose log lies in its own database and goes back in time with it (P1). A peer that has
 * received a beat which the database does not hold, or one of another life, proves that the database is not its own past;
 * beats that go on arriving there prove that somebody else lives. What no peer has received nobody can miss, so this finds
 * every restore that could give away a dot twice where a peer can know it. Peers that are all out of reach are waited for
 * a few seconds and then not any more, because a region writes alone (I8); what one of them has said before stays said.
 */
import { pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { orNextTurn } from '../next-turn.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { PeerMemory, RememberedBeat } from '../ports/peer-memory.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import type { Evidence } from './evidence.ts';
import type { OwnLogProofOptions, Verdict } from './own-log-proof.ts';

export interface PeerEvidenceOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly peers: readonly RegionId[];
  readonly memory: PeerMemory;
  readonly past: Pick<IdentityStore, 'newestBeat' | 'standing'>;
  readonly timer: Timer;
  readonly logger: Logger;
}

interface Testimony {
  readonly peer: RegionId;
  readonly beat: RememberedBeat | 'nothing';
}

const lookIntervalMs = 5000;
/** How long peers are waited for that do not answer. */
const patienceMs = 5000;

export class PeerEvidence implements Evidence {
  readonly #options: PeerEvidenceOptions;
  readonly #end = new AbortController();
  readonly #ticker: Ticker;
  #onForeign: (reason: string) => Promise<void> = async () => undefined;
  /** What each has said last. */
  readonly #told = new Map<RegionId, Testimony>();
  /** Since when nobody answers. */
  #silentSinceMs: number | null = null;

  constructor(options: PeerEvidenceOptions) {
    const { timer, logger } = options;
    this.#options = options;
    const run = orNextTurn(
      () => this.#look(),
      (err) => logger.debug({ err }, 'what peers remember of us is asked again'),
    );
    this.#ticker = new Ticker({ timer, intervalMs: lookIntervalMs, run });
  }

  start(onForeign: (reason: string) => Promise<void>): void {
    this.#onForeign = onForeign;
    this.#ticker.start();
  }

  stop(): Promise<void> {
    this.#end.abort();
    return this.#ticker.stop();
  }

  /** Nothing is written before the database is proven. */
  async prepare(): Promise<void> {}

  async compare(): Promise<Verdict> {
    const { peers, timer } = this.#options;
    const answers = await this.#ask();
    const reason = await this.#contradiction([...this.#told.values()]);
    if (reason !== null) return { kind: 'broken', reason };
    if (answers.length === 0 && peers.length > 0) {
      this.#silentSinceMs ??= timer.monotonicMs();
      if (timer.monotonicMs() - this.#silentSinceMs < patienceMs)
        throw unavailable('no peer says yet what it remembers of this region');
    }
    this.#silentSinceMs = null;
    return { kind: 'continues', readRecords: 0 };
  }

  async isAlone(forMs: number): Promise<boolean> {
    const { timer, past, peers } = this.#options;
    const before = await this.#ask();
    if (!(await pause(timer, forMs, this.#end.signal)))
      throw new ReplicationError('closed', 'nobody asks the peers any more', { retriable: false });
    const own = (await past.newestBeat()).beat?.number ?? 0;
    const after = await this.#ask();
    if (Math.min(before.length, after.length) === 0 && peers.length > 0)
      throw unavailable('no peer says whether somebody else writes as this region');
    return after.every(({ peer, beat }) => {
      const earlier = before.find((each) => each.peer === peer)?.beat;
      return earlier === undefined || !hasMoved(earlier, beat, own);
    });
  }

  async highestCounter(): Promise<number> {
    const counters = (await this.#ask()).map(({ beat }) =>
      beat === 'nothing' ? 0 : beat.incarnation.counter,
    );
    return Math.max(0, ...counters);
  }

  /** It would be what the restored database told once, and nothing of what came after. */
  async newestProgress(): Promise<null> {
    return null;
  }

  async #look(): Promise<void> {
    const { past, self } = this.#options;
    if (past.standing !== 'same') return;
    const reason = await this.#contradiction(await this.#ask());
    // A server that was set back between the question and the answers is compared, and nobody else is blamed for it.
    if (reason !== null && past.standing === 'same')
      await this.#onForeign(`${reason}: another database writes as ${self.region}`);
  }

  async #ask(): Promise<readonly Testimony[]> {
    const { peers, memory } = this.#options;
    const told = await Promise.all(
      peers.map(async (peer) => ({ peer, beat: await memory.rememberedBy(peer) })),
    );
    const answers = told.flatMap(({ peer, beat }) => (beat === null ? [] : [{ peer, beat }]));
    for (const answer of answers) this.#told.set(answer.peer, answer);
    return answers;
  }

  /** Own beats are read after the answers, so whatever was received by then has been in the table. */
  async #contradiction(testimonies: readonly Testimony[]): Promise<string | null> {
    const { self, past } = this.#options;
    const own = (await past.newestBeat()).beat?.number ?? 0;
    for (const { peer, beat } of testimonies) {
      if (beat === 'nothing' || beat.incarnation.counter < self.incarnation.counter) continue;
      if (!sameIncarnation(beat.incarnation, self.incarnation))
        return `${peer} knows the region as incarnation ${beat.incarnation.counter}, which is not that of the database`;
      if (beat.number > own)
        return `${peer} has received beat ${beat.number}, the database holds none after ${own}`;
    }
    return null;
  }
}

/** Own beats that were still on their way are nobody else's. */
function hasMoved(before: Testimony['beat'], after: Testimony['beat'], own: number): boolean {
  if (after === 'nothing') return false;
  if (before === 'nothing') return after.number > own;
  if (!sameIncarnation(before.incarnation, after.incarnation)) return true;
  return after.number > Math.max(before.number, own);
}

function unavailable(detail: string): ReplicationError {
  return new ReplicationError('log-unavailable', detail, { retriable: true });
}
