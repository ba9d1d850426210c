import { describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { maxJsonDepth, maxJsonValues, parseJsonBody } from './json-body.ts';

const parse = (text: string) => parseJsonBody(Buffer.from(text));

function refusal(bytes: string | Uint8Array): Problem {
  try {
    parseJsonBody(Buffer.from(bytes));
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new TypeError('it was accepted');
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('bodies', () => {
  it.each(['{}', '[]', '"a\\"{[\\\\"', '-0.5e-3', 'null', ' {"a" : [1, "]", {"b":{}}]} ', '"\\ud800"'])(
    'come out as JSON.parse has them: %s',
    (text) => {
      expect(parse(text)).toEqual(JSON.parse(text));
    },
  );

  it('keep prototype names as data', () => {
    const value = parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    expect(Object.keys(Object(value))).toEqual(['__proto__', 'constructor']);
    expect('polluted' in {}).toBe(false);
  });

  it('may nest to the limit and no deeper, without recursion', () => {
    expect(parse(nested(maxJsonDepth))).toBeInstanceOf(Array);
    expect(refusal(nested(maxJsonDepth + 1)).code).toBe('too-deep');
    expect(refusal('['.repeat(100_000)).code).toBe('too-deep');
    expect(refusal('{"a":'.repeat(100_000)).code).toBe('too-deep');
  });

  it('may have as many values as the limit', () => {
    const array = (length: number) => `[${Array.from({ length }, () => 0).join(',')}]`;
    expect(parse(array(maxJsonValues - 1))).toHaveLength(maxJsonValues - 1);
    expect(refusal(array(maxJsonValues)).code).toBe('body-too-large');
  });

  it.each([
    '',
    ' ',
    '{',
    '{"a":1,}',
    "{'a':1}",
    '[1 2]',
    'NaN',
    '01',
    '"\t"',
    '}{',
    '\ufeff{}',
    '-',
    '1.e',
    '"\\',
  ])('that are not JSON are refused: %j', (text) => {
    expect(refusal(text).code).toBe('malformed-json');
  });

  it('must be UTF-8', () => {
    expect(refusal(Uint8Array.of(0x22, 0xff, 0x22)).code).toBe('malformed-json');
  });

  it('may name a member once', () => {
    expect(refusal('{"a":1,"b":{"c":1,"c":2}}').message).toMatch(/one member twice/);
    expect(refusal('{"a":1,"\\u0061":2}').code).toBe('malformed-json');
    expect(parse('[{"a":1},{"a":2}]')).toHaveLength(2);
  });

  it.each([
    ['9007199254740993', ''],
    ['{"a":[0,{"b":-9007199254740993}]}', 'a[1].b'],
    ['{"x":1,"set":{"n":1e400}}', 'set.n'],
  ])('with numbers that would lose digits are refused, and the place named: %s', (text, field) => {
    const problem = refusal(text);
    expect(problem.code).toBe('invalid-value');
    expect(problem.violations[0]).toMatchObject({ field, rule: 'exact-number' });
  });

  it('keep the largest safe numbers', () => {
    expect(parse('[9007199254740991,-9007199254740991,5e-324]')).toEqual([2 ** 53 - 1, 1 - 2 ** 53, 5e-324]);
    expect(parse('[9007199254740992,1e16,10000000000000000,1e300]')).toEqual([2 ** 53, 1e16, 1e16, 1e300]);
  });
});
