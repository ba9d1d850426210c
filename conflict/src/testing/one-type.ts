/** A small schema for each type of field, so that a history on it meets nothing but this type. */
import { boundedCounter, counter, type Fields, map, register, set, text } from '../types/field.ts';

export const fieldsOfOneType: Readonly<Record<string, Fields>> = {
  register: { one: register(), other: register({ resolve: 'siblings' }) },
  counter: { one: counter() },
  'bounded counter': { one: boundedCounter(), other: boundedCounter({ min: -2 }) },
  set: { one: set() },
  'set biased to removal': { one: set({ bias: 'remove' }) },
  text: { one: text(), other: register() },
  'declared map': { one: map({ a: register(), b: map({ c: counter(), d: set() }) }) },
  'open map': { one: map(map(map(map(register())))), other: map(boundedCounter()) },
};
