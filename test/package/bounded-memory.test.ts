/**
 * What bytes claim to hold costs no more than what they hold: read in a process of little memory, where room that is made
 * for a claim ends the process and can be caught by nobody.
 */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { root } from '../tidy/tree.ts';

const opening = `
import { merge, register, schema, text, validate } from '@isthmus/conflict';
import { yjsText } from '@isthmus/conflict/text';
const type = schema({ r: register(), t: text() }, { text: yjsText });
const varint = (number) => number < 128 ? [number] : [number % 128 | 128, ...varint(Math.floor(number / 128))];
const codeOf = (read) => { try { read(); return 'nothing thrown'; } catch (error) { return error.code; } };
const stamp = [0, 0, 0, 0, 0, 1];
/** A record with one field, whose entry is of this kind and holds this payload. */
const recordOf = (key, kind, payload) => {
  const body = Buffer.concat([Buffer.from([0, 1, key.charCodeAt(0), ...kind]), payload]);
  return new Uint8Array(Buffer.concat([Buffer.from([0x10, 1, 1, 0x61, 2, 0]), Buffer.from(varint(body.length)), body]));
};
`;

/** Runs a program with the packages of this repository and 48 MiB for objects; gives what it prints. */
function printed(program: string): string {
  const parameters = ['--max-old-space-size=48', '--input-type=module', '--eval', opening + program];
  return execFileSync(process.execPath, parameters, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
}

test.each([
  ['arrays', 7, ''],
  // The name of the first member is empty, and the next claim is its value.
  ['objects', 8, '0'],
])('%s within each other that claim all the rest, each', (_, head, name) => {
  const program = `
    const claim = [${head}, ...varint(300_000), ${name}];
    const claims = Array.from({ length: 255 }, () => claim).flat();
    const payload = Buffer.concat([Buffer.from([...stamp, ...claims]), Buffer.alloc(300_010)]);
    const state = recordOf('r', [0xf6], payload);
    console.log(codeOf(() => validate(state)), codeOf(() => type.read(state)));`;
  expect(printed(program)).toBe('malformed malformed');
});

test('a chunk of a text that claims millions of parts', () => {
  const program = `
    const chunk = (update) => recordOf('t', [0xfb, 1, 1], Buffer.from([0, ...stamp, 1, ...update]));
    console.log(JSON.stringify(type.read(chunk([0, 0])).value));
    console.log(codeOf(() => type.read(chunk([1, ...varint(30_000_000), 1, 0]))));`;
  expect(printed(program)).toBe('{"t":""}\nmalformed');
});

test('bytes that are no record, many of them', () => {
  const program = `
    const zeros = new Uint8Array(8 << 20);
    console.log(codeOf(() => merge(new Uint8Array(0), zeros)), codeOf(() => validate(zeros)));`;
  expect(printed(program)).toBe('malformed malformed');
});
