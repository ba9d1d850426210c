/**
 * Checks declarations that come from anywhere, a JSON file for instance: every name, type and option is known, and
 * nothing is declared that would be ignored. What passes is frozen, because the meaning of stored records hangs on it.
 */
import { readFrom } from '../arguments.ts';
import { ConflictError } from '../errors.ts';
import { isPlain } from '../codec/value.ts';
import { deepestPath } from '../codec/format.ts';
import type { Fields } from './field.ts';

const fieldName = /^[A-Za-z][A-Za-z0-9_]*$/;
const longestFieldName = 64;

/** Options of each type and what each may be. */
const options: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  register: {
    resolve: (value) => value === 'last-writer' || value === 'siblings' || typeof value === 'function',
  },
  counter: {},
  'bounded-counter': { min: (value) => Number.isSafeInteger(value) },
  set: { bias: (value) => value === 'add' || value === 'remove' },
  text: {},
  map: { fields: isObject, of: isObject },
};

export function checkFields(fields: Fields): void {
  readFrom(fields, 'fields', () => checkNamed(fields, '', 1));
  if (Object.keys(fields).length === 0) throw invalid('', 'at-least-one-field', fields);
}

function checkNamed(fields: unknown, label: string, depth: number): void {
  if (!isObject(fields)) throw invalid(label, 'object', fields);
  if (depth > deepestPath) throw invalid(label, 'depth', depth);
  for (const [name, field] of Object.entries(fields)) {
    const path = label === '' ? name : `${label}.${name}`;
    if (!fieldName.test(name) || name.length > longestFieldName) throw invalid(path, 'field-name', name);
    checkField(field, path, depth);
  }
  Object.freeze(fields);
}

function checkField(field: unknown, label: string, depth: number): void {
  if (!isObject(field)) throw invalid(label, 'object', field);
  const { type, ...rest } = field;
  const known = typeof type === 'string' && Object.hasOwn(options, type) ? options[type] : undefined;
  if (known === undefined) throw invalid(label, 'type', type);
  for (const [option, value] of Object.entries(rest)) {
    const check = Object.hasOwn(known, option) ? known[option] : undefined;
    if (check === undefined || !check(value)) throw invalid(label, `option ${option}`, value);
  }
  Object.freeze(field);
  if (type === 'map') checkMap(rest, label, depth);
}

function checkMap(map: Record<string, unknown>, label: string, depth: number): void {
  if ('fields' in map === 'of' in map) throw invalid(label, 'either fields or of', map);
  if (depth >= deepestPath) throw invalid(label, 'depth', depth);
  if ('fields' in map) checkNamed(map['fields'], label, depth + 1);
  else checkField(map['of'], `${label}.*`, depth + 1);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && isPlain(value);
}

function invalid(label: string, rule: string, value: unknown): ConflictError {
  const message = `the declaration breaks the rule: ${rule}`;
  return new ConflictError('invalid-schema', message, { field: label, rule, value });
}
