/**
 * Declarations by chance: every type, maps with declared members and open ones, up to four deep, names that mean
 * something to JavaScript among them. Small, so that replicas meet at the same fields.
 */
import {
  boundedCounter,
  counter,
  type Field,
  type Fields,
  map,
  register,
  type Sibling,
  set,
  text,
} from '../types/field.ts';
import type { JsonValue } from '../codec/value.ts';
import type { Random } from './random.ts';

const deepestMap = 4;
const names = ['a', 'b', 'c', 'constructor', 'toString'] as const;

/** Shows all values at once, in an order that is the same everywhere. */
function allValues(siblings: readonly Sibling[]): JsonValue {
  return siblings.map((sibling) => sibling.value);
}

/** Fields of all types, maps up to four deep among them; with texts if wanted. */
export function randomFields(random: Random, hasText: boolean): Fields {
  return fieldsAt(random, { depth: 0, hasText });
}

interface Level {
  /** Maps around the field. */
  readonly depth: number;
  readonly hasText: boolean;
}

function fieldsAt(random: Random, level: Level): Fields {
  const chosen = random.shuffled(names).slice(0, 1 + random.below(level.depth === 0 ? 4 : 2));
  return Object.fromEntries(chosen.map((name) => [name, randomField(random, level)]));
}

function randomField(random: Random, level: Level): Field {
  const { depth, hasText } = level;
  if (depth < deepestMap && random.chance(0.4)) return randomMap(random, { depth: depth + 1, hasText });
  switch (random.below(hasText ? 7 : 6)) {
    case 0:
      return register();
    case 1:
      return random.chance(0.5) ? register({ resolve: 'siblings' }) : register({ resolve: allValues });
    case 2:
      return counter();
    case 3:
      return boundedCounter(random.chance(0.5) ? {} : { min: random.below(7) - 3 });
    case 4:
      return set();
    case 5:
      return set({ bias: 'remove' });
    default:
      return text();
  }
}

function randomMap(random: Random, level: Level): Field {
  return random.chance(0.5) ? map(fieldsAt(random, level)) : map(randomField(random, level));
}
