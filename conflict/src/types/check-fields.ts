/**
 * Checks declarations that come from anywhere, a JSON file for instance: every name, type and option is known, and
 * nothing is declared that would be ignored. What passes is frozen, because the meaning of stored records hangs on it.
 */
import { readFrom } from '../arguments.ts';
import { deepestPath } from '../codec/format.ts';
import { isMembers } from '../codec/value.ts';
import { checkDeclared } from '../refusal.ts';
import type { Field, Fields } from './field.ts';
import { fieldTypes } from './field-types.ts';

const fieldName = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

export function checkFields(fields: Fields): void {
  readFrom(fields, 'fields', () => {
    checkDeclared(isMembers(fields), 'object', { value: fields });
    checkNamed(fields, '', 1);
  });
  checkDeclared(Object.keys(fields).length > 0, 'at-least-one-field', { value: fields });
}

function checkNamed(fields: object, label: string, depth: number): void {
  for (const [name, given] of Object.entries(fields)) {
    const field = label === '' ? name : `${label}.${name}`;
    checkDeclared(fieldName.test(name), 'field-name', { value: name, field });
    checkField(given, field, depth);
  }
  Object.freeze(fields);
}

function checkField(given: unknown, field: string, depth: number): void {
  checkDeclared(isMembers(given), 'object', { value: given, field });
  const { type, ...rest } = given;
  checkDeclared(isType(type), 'type', { value: type, field });
  const { options } = fieldTypes[type];
  for (const [option, value] of Object.entries(rest)) {
    const isFit = Object.hasOwn(options, option) && options[option]?.(value) === true;
    checkDeclared(isFit, `option ${option}`, { value, field });
  }
  Object.freeze(given);
  if (type !== 'map') return;
  const { fields, of } = rest;
  checkDeclared((fields === undefined) !== (of === undefined), 'either fields or of', { value: rest, field });
  checkDeclared(depth < deepestPath, 'depth', { value: depth, field });
  if (isMembers(fields)) checkNamed(fields, field, depth + 1);
  else checkField(of, `${field}.*`, depth + 1);
}

function isType(type: unknown): type is Field['type'] {
  return typeof type === 'string' && Object.hasOwn(fieldTypes, type);
}
