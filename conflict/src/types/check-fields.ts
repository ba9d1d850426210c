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
  readFrom(fields, 'fields', () => {
    checkRule(isMembers(fields), { field: '', rule: 'object', value: fields });
    checkNamed(fields, '', 1);
  });
  checkRule(Object.keys(fields).length > 0, { field: '', rule: 'at-least-one-field', value: fields });
}

function checkNamed(fields: object, label: string, depth: number): void {
  for (const [name, given] of Object.entries(fields)) {
    const field = label === '' ? name : `${label}.${name}`;
    checkRule(fieldName.test(name), { field, rule: 'field-name', value: name });
    checkField(given, field, depth);
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
  if (type !== 'map') return;
  const { fields, of } = rest;
  checkRule((fields === undefined) !== (of === undefined), {
    field,
    rule: 'either fields or of',
    value: rest,
  });
  checkRule(depth < deepestPath, { field, rule: 'depth', value: depth });
  if (isMembers(fields)) checkNamed(fields, field, depth + 1);
  else checkField(of, `${field}.*`, depth + 1);
}

function isType(type: unknown): type is Field['type'] {
  return typeof type === 'string' && Object.hasOwn(fieldTypes, type);
}

function checkRule(isKept: boolean, details: ConflictDetails): asserts isKept {
  check(isKept, 'invalid-schema', details);
}
