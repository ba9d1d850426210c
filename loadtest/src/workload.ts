/**
 * What is written: product records of about 240 bytes of JSON made from words, under 100k keys. All of it follows from
 * one seed. Keys are visited in a shuffled order, each once before any comes again, so that no two writes in flight
 * meet in one record and every write is one change. Records come from a pool large enough that no record comes again
 * within what a compressor sees at a time.
 */
import { type Random, randomFrom, shuffledOrder } from './random.ts';
import { conditions, words } from './words.ts';

export const collection = 'products';
const poolSize = 4099;
const titleCharacters = 166;

export interface Product {
  readonly title: string;
  readonly price: number;
  readonly status: string;
}

export interface Write {
  readonly key: string;
  readonly value: Product;
}

export class Workload {
  readonly keyCount: number;
  readonly #order: Uint32Array;
  readonly #pool: readonly Product[];
  #next = 0;

  constructor(seed: number, keyCount: number) {
    const random = randomFrom(seed);
    this.keyCount = keyCount;
    this.#pool = Array.from({ length: poolSize }, () => productFrom(random));
    this.#order = shuffledOrder(keyCount, random);
  }

  /** Mean bytes of a record's JSON. */
  get meanBytes(): number {
    const bytes = this.#pool.map((value) => Buffer.byteLength(JSON.stringify(value)));
    return bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
  }

  next(): Write {
    const turn = this.#next++;
    const key = this.#order[turn % this.keyCount] ?? 0;
    const value = this.#pool[turn % poolSize];
    return { key: keyName(key), value: value ?? { title: '', price: 0, status: '' } };
  }

  /** How many writes have been drawn. */
  get turn(): number {
    return this.#next;
  }
}

export function keyName(index: number): string {
  return `item-${String(index).padStart(6, '0')}`;
}

function productFrom(random: Random): Product {
  const title: string[] = [];
  for (let length = 0; length < titleCharacters; ) {
    const word = drawWord(random);
    title.push(word);
    length += word.length + 1;
  }
  const price = Math.floor(random() * 200_000) / 100;
  const condition = conditions[Math.floor(random() * conditions.length)] ?? '';
  return { title: title.join(' '), price, status: `${condition}, ${drawWord(random)} ${drawWord(random)}` };
}

/** The product of two draws leans towards the words at the front. */
function drawWord(random: Random): string {
  return words[Math.floor(random() * random() * words.length)] ?? '';
}
