/**
 * The way from one region to another as whoever calls sees it: requests of the caller and their answers travel on it,
 * and so do the records that it reads from the callee's log; what asks only whether somebody is there travels the way that
 * the data of whoever asks do (P7). A cut ends the connections that are open; a clog lets small requests pass while data
 * stand still (a gray link), and on a mute one transfers alone do; loss shows as delay, because what is lost is sent again.
 */
import type { Random } from './random.ts';

export interface LinkQuality {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly lossRate: number;
}

export class Link {
  readonly #quality: LinkQuality;
  readonly #worse = new Set<Partial<LinkQuality>>();
  readonly #random: Random;
  #cuts = 0;
  #clogs = 0;
  #mutes = 0;
  /** Grows whenever connections are cut. */
  epoch = 0;
  readonly #users = new Set<() => void>();

  constructor(quality: LinkQuality, random: Random) {
    this.#quality = quality;
    this.#random = random;
  }

  get isCut(): boolean {
    return this.#cuts > 0;
  }

  get isClogged(): boolean {
    return this.#clogs > 0;
  }

  get isMute(): boolean {
    return this.#mutes > 0;
  }

  /** Time of one way. */
  delayMs(): number {
    const { latencyMs, jitterMs, lossRate } = this.#present();
    const again = lossRate > 0 && this.#random.chance(lossRate) ? this.#random.scale(200, 1500) : 0;
    return latencyMs + jitterMs * this.#random.next() + again;
  }

  /** Until the returned function is called; what came last counts. */
  worsen(quality: Partial<LinkQuality>): () => void {
    const own = { ...quality };
    this.#worse.add(own);
    return () => this.#worse.delete(own);
  }

  cut(): void {
    this.#cuts++;
    this.epoch++;
    this.#tell();
  }

  mend(): void {
    this.#cuts--;
    this.#tell();
  }

  clog(): void {
    this.#clogs++;
  }

  unclog(): void {
    this.#clogs--;
    this.#tell();
  }

  /** Until the returned function is called. */
  mute(): () => void {
    this.#mutes++;
    return () => void this.#mutes--;
  }

  /** Calls `change` whenever the link may have come or gone; the returned function takes that back. */
  watch(change: () => void): () => void {
    this.#users.add(change);
    return () => this.#users.delete(change);
  }

  #present(): LinkQuality {
    if (this.#worse.size === 0) return this.#quality;
    let { latencyMs, jitterMs, lossRate } = this.#quality;
    for (const worse of this.#worse) {
      latencyMs = worse.latencyMs ?? latencyMs;
      jitterMs = worse.jitterMs ?? jitterMs;
      lossRate = worse.lossRate ?? lossRate;
    }
    return { latencyMs, jitterMs, lossRate };
  }

  #tell(): void {
    for (const change of Array.from(this.#users)) change();
  }
}
