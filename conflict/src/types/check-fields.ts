/**
 * Checks declarations that come from anywhere, a JSON file for instance: every name, type and option is known, and
 * nothing is declared that would be ignored. What passes is frozen, because the meaning of stored records hangs on it.
 */
import { readFrom } from '../arguments.ts';
import { deepestPath } from '../codec/format.ts';
import { isMembers } from '../codec/value.ts';
import { type ConflictDetails } from '../errors.ts';
import { check } from '../refusal.ts';
import type { Field, Fields } from './field.ts';
import { fieldTypes } from './field-types.ts';

const fieldName = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

export function checkFields(fields: Fields): void {
  readFrom(fields, 'fields', () => checkNamed(fields, '', 1));
  checkRule(Object.keys(fields).length > 0, { field: '', rule: 'at-least-one-field', value: fields });
}

function checkNamed(fields: unknown, label: string, depth: number): void {
  checkRule(isMembers(fields), { field: label, rule: 'object', value: fields });
  checkRule(depth <= deepestPath, { field: label, rule: 'depth', value: depth });
  for (const [name, field] of Object.entries(fields)) {
    const path = label === '' ? name : `${label}.${name}`;
    checkRule(fieldName.test(name), { field: path, rule: 'field-name', value: name });
    checkField(field, path, depth);
  }
  Object.freeze(fields);
}

function checkField(given: unknown, field: string, depth: number): void {
  checkRule(isMembers(given), { field, rule: 'object', value: given });
  const { type, ...rest } = given;
  checkRule(isType(type), { field, rule: 'type', value: type });
  const { options } = fieldTypes[type];
  for (const [option, value] of Object.entries(rest)) {
    const isFit = Object.hasOwn(options, option) && options[option]?.(value) === true;
    checkRule(isFit, { field, rule: `option ${option}`, value });
  }
  Object.freeze(given);
  if (type === 'map') checkMap(rest, field, depth);
}

function checkMap(map: Record<string, unknown>, field: string, depth: number): void {
  checkRule('fields' in map !== 'of' in map, { field, rule: 'either fields or of', value: map });
  checkRule(depth < deepestPath, { field, rule: 'depth', value: depth });
  if ('fields' in map) checkNamed(map['fields'], field, depth + 1);
  else checkField(map['of'], `${field}.*`, depth + 1);
}

function isType(type: unknown): type is Field['type'] {
  return typeof type === 'string' && Object.hasOwn(fieldTypes, type);
}

function checkRule(isKept: boolean, details: ConflictDetails): asserts isKept {
  check(isKept, 'invalid-schema', details);
}
