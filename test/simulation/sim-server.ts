/**
 * One server (a Postgres, a Kafka) as its clients find it: up, down, or frozen, slow, or losing answers. A request to
 * one that is down is refused; one to a frozen server waits until it goes on. An answer is lost when the connection
 * that it should come on is cut between the deed and the answer, and then nobody can tell the client what happened.
 */
import type { Random } from './random.ts';

/** Work that has come to a server. */
export interface Arrival {
  readonly perform: () => void;
  /** The server goes down before it was done. */
  readonly drop: () => void;
}

export class SimServer {
  readonly name: string;
  readonly #random: Random;
  #isUp = true;
  #freezes = 0;
  /** Grows whenever all connections are cut. */
  epoch = 0;
  /** Added to the time of every request. */
  slowMs = 0;
  /** It was slow a moment ago. */
  isSettling = false;
  /** Probability that an answer is lost. */
  lossRate = 0;
  readonly #waiting: Arrival[] = [];

  constructor(name: string, random: Random) {
    this.name = name;
    this.#random = random;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get isFrozen(): boolean {
    return this.#freezes > 0;
  }

  /** In good order, so that it answers at once. */
  get isSound(): boolean {
    const isQuick = this.slowMs === 0 && !this.isSettling;
    return this.#isUp && this.#freezes === 0 && isQuick && this.lossRate === 0;
  }

  delayMs(least: number, most: number): number {
    const ownMs = this.#random.between(least, most);
    return this.slowMs === 0 ? ownMs : ownMs + this.slowMs * this.#random.next();
  }

  /** Whether this answer is lost. */
  losesAnswer(): boolean {
    return this.lossRate > 0 && this.#random.chance(this.lossRate);
  }

  chance(probability: number): boolean {
    return this.#random.chance(probability);
  }

  /** Does the work now, or when the server goes on, and drops it where that goes down instead. False: it is down. */
  serve(arrival: Arrival): boolean {
    if (!this.#isUp) return false;
    if (this.isFrozen) this.#waiting.push(arrival);
    else arrival.perform();
    return true;
  }

  goDown(): void {
    this.#isUp = false;
    this.startAnew();
  }

  /** The connections on which somebody waits are closed, and what came on them is never done. */
  startAnew(): void {
    this.cutConnections();
    for (const arrival of this.#waiting.splice(0)) arrival.drop();
  }

  comeUp(): void {
    this.#isUp = true;
  }

  cutConnections(): void {
    this.epoch++;
  }

  freeze(): void {
    this.#freezes++;
  }

  thaw(): void {
    this.#freezes--;
    if (this.#freezes > 0) return;
    for (const arrival of this.#waiting.splice(0)) arrival.perform();
  }
}
