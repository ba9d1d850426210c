/**
 * A campaign makes inputs out of a corpus, by the structure or blindly, and examines each. It follows from its seed:
 * input number n is the same on every machine and every worker. It reads no clock; whoever runs it watches the time
 * and is told what is being examined before it is.
 */
import { mutateBlindly } from './blind-mutations.ts';
import { corpusOf } from './corpus.ts';
import { Examination } from './examination.ts';
import { type Parts, partsOf } from './parts.ts';
import { Random } from './random.ts';
import { mutateParts } from './structural-mutations.ts';

export class Campaign {
  readonly examination: Examination;
  readonly #seed: number;
  readonly #random: Random;
  readonly #corpus: readonly Uint8Array[];
  readonly #parts: readonly Parts[];

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Random(seed, 0);
    this.examination = new Examination(this.#random);
    this.#corpus = corpusOf(seed);
    this.#parts = this.#corpus.map(partsOf);
  }

  /** Examines input `number`, from 1; `announce` is called with its bytes first. */
  run(number: number, announce: (input: Uint8Array, other: Uint8Array) => void): void {
    const random = this.#random;
    random.restart(this.#seed, number);
    const at = this.#chosen();
    // Neighbours share a history, so they have dots in common.
    const near = random.once(4)
      ? this.#chosen()
      : Math.max(0, Math.min(at + random.below(9) - 4, this.#corpus.length - 1));
    const other = this.#corpus[near] ?? new Uint8Array(0);
    const input = shifted(this.#mutated(at, near), random);
    announce(input, other);
    this.examination.examine(input, other);
  }

  /** The records at the end, with crowds of actors, are long and therefore rare. */
  #chosen(): number {
    const random = this.#random;
    return random.below(this.#corpus.length - (random.once(50) ? 0 : 2));
  }

  #mutated(at: number, near: number): Uint8Array {
    const random = this.#random;
    const bytes = this.#corpus[at] ?? new Uint8Array(0);
    const other = this.#corpus[near] ?? bytes;
    const [parts, otherParts] = [this.#parts[at], this.#parts[near]];
    if (random.once(100)) return bytes;
    if (random.once(2) || parts === undefined || otherParts === undefined)
      return mutateBlindly(bytes, random, other);
    const forged = mutateParts(parts, random, otherParts);
    return random.once(10) ? mutateBlindly(forged, random, other) : forged;
  }
}

/** Now and then a view into the middle of a longer buffer, as network code hands out. */
function shifted(bytes: Uint8Array, random: Random): Uint8Array {
  if (!random.once(8)) return bytes;
  const room = new Uint8Array(bytes.length + 16).fill(0x81);
  room.set(bytes, 7);
  return room.subarray(7, 7 + bytes.length);
}
