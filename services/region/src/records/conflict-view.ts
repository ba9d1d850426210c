/**
 * Registers with more than one live value, as operators see them: every value with who wrote it and when, which of them
 * is shown, and why. A conflict has no row of its own: it is read off the record each time, so it is never stale, and
 * it is gone with the first write that saw its values. Its id is made of names alone, so it is the same in every
 * region and after every restart.
 */
import { createHash } from 'node:crypto';
import { regionOfActor } from '@isthmus/replication/ports/identity';
import type { RecordId } from '@isthmus/replication/ports/change';
import { checkKey } from '../api/names.ts';
import { Problem } from '../problem.ts';

export interface ConflictSibling {
  readonly value: unknown;
  /** Milliseconds since 1970 of the stamp. */
  readonly atMs: number;
  readonly actor: string;
  /** True for the value that the record shows. */
  readonly shown: boolean;
  /** For people. */
  readonly why: string;
}

export interface FieldConflict {
  /** Path of the register. */
  readonly field: string;
  readonly resolution: 'last-writer' | 'siblings';
  /** At least two, of different actors, the latest first. */
  readonly siblings: readonly ConflictSibling[];
}

export interface RecordConflicts {
  /** Of the record. */
  readonly version: string;
  /** At least one. */
  readonly fields: readonly FieldConflict[];
}

export interface ConflictAnswer extends RecordId {
  readonly id: string;
  readonly field: string;
  readonly resolution: string;
  /** Of the record, for `If-Match`. */
  readonly version: string;
  readonly siblings: readonly SiblingAnswer[];
}

interface SiblingAnswer {
  readonly value: unknown;
  readonly at: string;
  readonly region: string | null;
  readonly actor: string;
  readonly shown: boolean;
  readonly why: string;
}

const separator = '\u0000';
/** Keeps an id, with the longest key, well inside what a segment of a path may have. */
const maxPlainFieldBytes = 1024;

/**
 * The field's path, or where that is very long its hash; the order of tokens is the order of a record's conflicts.
 * No path starts with the separator, so no path is mistaken for a hash.
 */
export function fieldToken(field: string): string {
  if (Buffer.byteLength(field) <= maxPlainFieldBytes) return field;
  return separator + createHash('sha256').update(field).digest('hex');
}

/** Neither collections nor keys hold the separator. */
function conflictId({ collection, key }: RecordId, field: string): string {
  return Buffer.from([collection, key, fieldToken(field)].join(separator)).toString('base64url');
}

/** The record that a conflict's id names; whether there is such a conflict is for `findConflict`. */
export function recordOfConflict(id: string): RecordId {
  const text = Buffer.from(id, 'base64url').toString('utf8');
  const [collection, key, field] = text.split(separator, 3);
  const isOurs = Buffer.from(text).toString('base64url') === id;
  if (!isOurs || collection === undefined || key === undefined || field === undefined)
    throw new Problem('not-found', 'The id is not one that a list of conflicts gave.');
  return { collection, key: checkKey(key, 'id') };
}

export function findConflict(
  conflicts: RecordConflicts | null,
  record: RecordId,
  id: string,
): FieldConflict | null {
  return conflicts?.fields.find(({ field }) => conflictId(record, field) === id) ?? null;
}

export function noConflict(): Problem {
  return new Problem(
    'not-found',
    'There is no such conflict in this region: a later write has ended it, or it has not arrived here.',
  );
}

export function conflictAnswer(record: RecordId, conflict: FieldConflict, version: string): ConflictAnswer {
  const { field, resolution, siblings } = conflict;
  return {
    id: conflictId(record, field),
    collection: record.collection,
    key: record.key,
    field,
    resolution,
    version,
    siblings: siblings.map(siblingAnswer),
  };
}

function siblingAnswer({ value, atMs, actor, shown, why }: ConflictSibling): SiblingAnswer {
  return { value, at: new Date(atMs).toISOString(), region: regionOfActor(actor), actor, shown, why };
}
