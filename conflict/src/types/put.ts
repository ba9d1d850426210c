/**
 * Making fields what a given value says, and writing only what differs. What a put does not name is cleared, except for
 * counters, which are never set.
 */
import { isObject } from '../arguments.ts';
import { pathOf } from '../codec/path.ts';
import { textOf } from '../codec/utf8.ts';
import { isPlain } from '../codec/value.ts';
import { refusal } from '../refusal.ts';
import type { Draft } from '../record/draft.ts';
import { namesOfPath } from '../record/entry.ts';
import type { Place } from '../record/place.ts';
import { readBounded } from './bounded-counter.ts';
import { putCounter, readCounter } from './counter.ts';
import type { MapField } from './field.ts';
import { putRegister } from './register.ts';
import { resetPlace } from './reset.ts';
import { binaryName, type PlaceOf, memberOf } from './resolve-field.ts';
import { putSet } from './set.ts';
import { putText } from './text.ts';

export function putMap(draft: Draft, { place, field }: PlaceOf<MapField>, value: unknown): void {
  const named = membersOf(place, value);
  for (const name of named.keys()) {
    const label = pathOf([...namesOfPath(place.path), name]);
    memberOf(field, name, label);
    binaryName(name, label);
  }
  const stored = [...place.children.keys()].map(textOf);
  const names = 'fields' in field ? Object.keys(field.fields) : new Set([...named.keys(), ...stored]);
  for (const name of names) {
    const member = memberOf(field, name, name);
    const binary = binaryName(name, name);
    const at = () => ({ place: place.child(binary), field: member });
    if (named.has(name)) putField(draft, at(), named.get(name));
    else if (place.children.has(binary)) clearUnnamed(draft, at());
  }
}

function membersOf({ label: field }: Place, value: unknown): ReadonlyMap<string, unknown> {
  if (isObject(value) && isPlain(value)) return new Map(Object.entries(value));
  throw refusal('invalid-value', { field, rule: 'object', value });
}

function putField(draft: Draft, { place, field }: PlaceOf, value: unknown): void {
  switch (field.type) {
    case 'register':
      return putRegister(draft, { place, field }, value);
    case 'counter':
      return putCounter(place, readCounter(place), value);
    case 'bounded-counter':
      return putCounter(place, readBounded(place, field), value);
    case 'set':
      return putSet(draft, { place, field }, value);
    case 'text':
      return putText(draft, place, value);
    case 'map':
      return putMap(draft, { place, field }, value);
  }
}

function clearUnnamed(draft: Draft, { place, field }: PlaceOf): void {
  if (field.type === 'map') putMap(draft, { place, field }, {});
  else if (field.type !== 'counter' && field.type !== 'bounded-counter') resetPlace(draft, place);
}
