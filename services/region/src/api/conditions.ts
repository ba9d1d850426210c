/**
 * Conditional requests (RFC 9110). An entity tag is the record's version in quotes. Conditions on writes are checked
 * under the record's row lock, so within a region nobody slips in between; they say nothing about other regions,
 * where the same record may be written at the same time, and every refusal says so.
 */
import { Problem } from '../problem.ts';

/** Tags of an `If-Match` or `If-None-Match` header; `any` stands for `*`. */
type TagList = 'any' | readonly string[];

export interface Conditions {
  readonly ifMatch: TagList | null;
  readonly ifNoneMatch: TagList | null;
}

const maxTags = 100;
const tagPattern = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

export function formatTag(version: string): string {
  return `"${version}"`;
}

export function parseConditions(headers: {
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
}): Conditions {
  return {
    ifMatch: parseTags('If-Match', headers['if-match']),
    ifNoneMatch: parseTags('If-None-Match', headers['if-none-match']),
  };
}

function parseTags(name: string, header: string | undefined): TagList | null {
  if (header === undefined) return null;
  if (header.trim() === '*') return 'any';
  const texts = header.split(',').map((text) => text.trim());
  const tags = texts.map((text) => tagPattern.exec(text)).filter((tag) => tag !== null);
  if (tags.length === texts.length && tags.length <= maxTags) {
    // A weak tag promises less than If-Match asks for, so it never matches there (RFC 9110, 13.1.1).
    const compared = name === 'If-Match' ? tags.filter(([, weak]) => weak === undefined) : tags;
    return compared.map(([, , tag = '']) => tag);
  }
  throw new Problem(
    'bad-request',
    `${name} takes * or up to ${maxTags} entity tags in quotes, as in the ETag of an answer.`,
    {
      violations: [{ field: name, rule: 'entity-tags', limit: maxTags, value: null }],
    },
  );
}

/** True where a GET with `If-None-Match` is answered 304. */
export function isUnchanged(conditions: Conditions, version: string): boolean {
  return holds(conditions.ifNoneMatch ?? [], version);
}

/** The refusal of a write, or `null` where it may go on. `version` is `null` where the record does not exist. */
export function refuseWrite({ ifMatch, ifNoneMatch }: Conditions, version: string | null): Problem | null {
  if (ifMatch !== null && !holds(ifMatch, version)) return failed('If-Match', version);
  if (ifNoneMatch !== null && holds(ifNoneMatch, version)) return failed('If-None-Match', version);
  return null;
}

function holds(tags: TagList, version: string | null): boolean {
  if (version === null) return false;
  return tags === 'any' || tags.includes(version);
}

function failed(name: string, version: string | null): Problem {
  const current =
    version === null ? 'the record does not exist here' : `the record's ETag here is ${formatTag(version)}`;
  return new Problem(
    'precondition-failed',
    `${name} does not hold: ${current}. Conditions bind this region only; other regions may write meanwhile.`,
    {
      violations: [{ field: name, rule: 'local-condition', limit: null, value: version }],
    },
  );
}
