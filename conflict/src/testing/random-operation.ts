/**
 * Operations by chance, for any declaration. Paths, elements and members come from small pools, so that replicas meet;
 * amounts are small, so that sums stay exact in the naive arithmetic of the model. Every character that is typed into
 * a text is a new one, so that the model knows them apart; some need two UTF-16 units.
 */
import type { JsonValue } from '../codec/value.ts';
import type { Field, Fields, MapField } from '../types/field.ts';
import type { Names, Operation } from './operation.ts';
import type { Random } from './random.ts';

const members = ['m', 'n.o', '__proto__', 'é\\'] as const;
const elements = ['a', 'b', '', 0, -0, 1, 2.5, true, '1'] as const;
const values = [0, -0, 1, 'x', '', null, true, [1, 'y'], { b: 1, a: [null] }, 1.5, -7, 2 ** 53 - 1] as const;

/** What operations by chance have to know. */
export interface Scene {
  /** The declarations of the schema. */
  readonly fields: Fields;
  /** Names under which rights can be moved to. */
  readonly actors: readonly string[];
  /** The text shown at a path before the edit. */
  readonly textAt: (path: Names) => string;
  /** A character that was never used before. */
  readonly character: () => string;
}

/** The operations of one edit, in which a text is spliced at most once and before all else. */
export function randomOperations(random: Random, scene: Scene): readonly Operation[] {
  const operations = Array.from({ length: 1 + random.below(3) }, () => randomOperation(random, scene));
  const splices = operations.filter((each) => each.op === 'splice').slice(0, 1);
  return [...splices, ...operations.filter((each) => each.op !== 'splice')];
}

function randomOperation(random: Random, scene: Scene): Operation {
  if (random.chance(0.05)) return { op: 'delete' };
  if (random.chance(0.06))
    return { op: 'put', value: randomMembers(random, scene, { type: 'map', fields: scene.fields }) };
  const { path, field } = randomPlace(random, scene.fields);
  if (random.chance(0.08)) return { op: 'clear', path: path.slice(0, 1 + random.below(path.length)) };
  return operationOn(random, scene, { path, field });
}

interface Target {
  readonly path: Names;
  readonly field: Field;
}

function randomPlace(random: Random, fields: Fields): Target {
  let field: Field = { type: 'map', fields };
  const path: string[] = [];
  while (field.type === 'map') {
    const name: string =
      'of' in field ? random.pick(members) : (random.anyOf(Object.keys(field.fields)) ?? '');
    const member: Field | undefined = 'of' in field ? field.of : field.fields[name];
    path.push(name);
    if (member === undefined) break;
    field = member;
  }
  return { path, field };
}

function operationOn(random: Random, scene: Scene, { path, field }: Target): Operation {
  switch (field.type) {
    case 'counter':
      return { op: 'increment', path, amount: random.below(19) - 9 };
    case 'bounded-counter':
      return operationOnRights(random, scene, path);
    case 'set': {
      const some = Array.from({ length: 1 + random.below(2) }, () => random.pick(elements));
      return { op: random.chance(0.6) ? 'add' : 'remove', path, elements: some };
    }
    case 'text':
      return randomSplice(random, scene, path);
    case 'register':
    case 'map':
      return { op: 'set', path, value: random.pick(values) };
  }
}

function operationOnRights(random: Random, scene: Scene, path: Names): Operation {
  const kind = random.pick(['refill', 'spend', 'spend', 'moveRights'] as const);
  if (kind !== 'moveRights') return { op: kind, path, amount: random.below(kind === 'refill' ? 12 : 5) };
  return { op: 'moveRights', path, to: random.anyOf(scene.actors) ?? 'nobody', amount: 1 + random.below(4) };
}

function randomSplice(random: Random, scene: Scene, path: Names): Operation {
  const before = scene.textAt(path);
  const letters = Array.from(before);
  const start = random.below(letters.length + 1);
  const end = random.chance(0.5) ? start : start + random.below(letters.length + 1 - start);
  const at = letters.slice(0, start).join('').length;
  const insert = Array.from({ length: random.below(3) }, scene.character).join('');
  return {
    op: 'splice',
    path,
    before,
    splice: { at, delete: letters.slice(start, end).join('').length, insert },
  };
}

/** A value to put: counters are left out, everything else may be there. */
function randomMembers(
  random: Random,
  scene: Scene,
  field: MapField,
): { readonly [name: string]: JsonValue } {
  const found =
    'of' in field ? members.map((name) => [name, field.of] as const) : Object.entries(field.fields);
  const named = found.filter(([, member]) => !member.type.endsWith('counter') && random.chance(0.6));
  return Object.fromEntries(named.map(([name, member]) => [name, valueFor(random, scene, member)]));
}

function valueFor(random: Random, scene: Scene, field: Field): JsonValue {
  if (field.type === 'map') return randomMembers(random, scene, field);
  if (field.type === 'set') return random.shuffled(elements).slice(0, random.below(3));
  if (field.type === 'text') return Array.from({ length: random.below(3) }, scene.character).join('');
  return random.pick(values);
}
