/**
 * What this region answers to the barriers of others (P8). It takes its own position once for each asking, after it has
 * seen that, and goes on saying whether it has settled what the asker wants to be covered. What it answers is read from
 * the database before it is told, and whoever tells it makes it durable first. A newer incarnation of an asker replaces
 * what an older one asked, and an asker that asks nothing is answered nothing.
 */
import type { BarrierAnswer, BarrierAsk } from '../log/barrier-word.ts';
import type { Lsn } from '../ports/change.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { TombstoneStore } from '../ports/tombstone-store.ts';
import type { Standing, TransferStore } from '../ports/transfer-store.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { boundBeside, othersIn, type Self } from '../reach.ts';
import { lacking } from '../vector.ts';

interface Asking {
  readonly incarnation: Incarnation;
  readonly ask: BarrierAsk;
  /** `null`: not taken yet. */
  readonly position: Vector | null;
}

export interface AnswerStores {
  readonly standing: Pick<TransferStore, 'standing'>;
  readonly store: Pick<TombstoneStore, 'noteAnswered'>;
}

export class BarrierAnswers {
  readonly #self: Self;
  readonly #stores: AnswerStores;
  readonly #askings = new Map<RegionId, Asking>();
  /** Of the own changes the database knows that it held them up to there. */
  #noted: Lsn = 0n;

  constructor(self: Self, stores: AnswerStores) {
    this.#self = self;
    this.#stores = stores;
  }

  note(asker: RegionId, incarnation: Incarnation, ask: BarrierAsk | null): void {
    const known = this.#askings.get(asker);
    if (known !== undefined && known.incarnation.counter > incarnation.counter) return;
    if (ask === null) {
      this.#askings.delete(asker);
      return;
    }
    const isSame = known !== undefined && isOneAsking(known, { incarnation, ask });
    this.#askings.set(asker, { incarnation, ask, position: isSame ? known.position : null });
  }

  /** Asks the database only where somebody asks us. Rejects with what the database rejects with. */
  async all(): Promise<readonly BarrierAnswer[]> {
    if (this.#askings.size === 0) return [];
    const askings = [...this.#askings];
    const standing = await this.#stores.standing.standing();
    if (askings.some(([, asking]) => asking.position === null || this.#goesBeyond(asking.ask.vector))) {
      await this.#stores.store.noteAnswered(standing.insertLsn);
      this.#noted = standing.insertLsn;
    }
    return askings.map(([asker, asking]) => {
      const position = asking.position ?? boundBeside(this.#self, standing, standing.whole);
      const now = this.#askings.get(asker);
      if (now !== undefined && isOneAsking(now, asking)) this.#askings.set(asker, { ...now, position });
      return answerOf(asker, { ...asking, position }, isSettled(this.#self, standing, asking.ask.vector));
    });
  }

  /** Others may have applied more of this region than it answered, and what it says is covered goes that far (P9). */
  #goesBeyond(vector: Vector | null): boolean {
    return (vector ?? []).some((entry) => isOwn(this.#self, entry) && entry.lsn > this.#noted);
  }
}

function isOwn({ region, incarnation }: Self, entry: VectorEntry): boolean {
  return entry.region === region && sameIncarnation(entry.incarnation, incarnation);
}

function isOneAsking(
  a: Pick<Asking, 'incarnation' | 'ask'>,
  b: Pick<Asking, 'incarnation' | 'ask'>,
): boolean {
  const isOneBarrier = a.ask.number === b.ask.number && a.ask.round === b.ask.round;
  return isOneBarrier && sameIncarnation(a.incarnation, b.incarnation);
}

function answerOf(
  asker: RegionId,
  { incarnation, ask, position }: Asking & { readonly position: Vector },
  isCovered: boolean,
): BarrierAnswer {
  const { number, round } = ask;
  return { asker, askerIncarnation: incarnation, number, round, position, isCovered };
}

/** Of the own changes nothing has to be settled; they are all here. */
export function isSettled(self: Self, { settled }: Standing, vector: Vector | null): boolean {
  return vector !== null && lacking(settled, othersIn(vector, self)) === null;
}
