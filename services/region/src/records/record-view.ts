/**
 * What a region shows of one record, as read from its stored state, and its form in answers. Counters always have a
 * value; registers that were never set, or cleared, are absent. Siblings are in it only for registers that have more
 * than one live value, those within maps under their path, as `address.city`.
 */
import { regionOfActor } from '@isthmus/replication/ports/identity';
import type { RecordId } from '@isthmus/replication/ports/change';
import { type UnreadableAnswer, UnreadableRecord, unreadableAnswer } from './unreadable-record.ts';

interface Sibling {
  readonly value: unknown;
  /** Milliseconds since 1970 of the stamp. */
  readonly atMs: number;
  readonly actor: string;
  /** True for the value that the record shows. */
  readonly shown: boolean;
}

export interface RecordView {
  readonly value: Readonly<Record<string, unknown>>;
  /** Equal wherever regions show the same record. */
  readonly version: string;
  /** Milliseconds since 1970 of the highest stamp. */
  readonly updatedAtMs: number;
  /** Registers with several live values, by path. */
  readonly siblings: ReadonlyMap<string, readonly Sibling[]>;
  /** Those of them whose policy shows every value. */
  readonly showing: readonly string[];
}

/** `null`: the record does not exist. */
export type Shown = RecordView | UnreadableRecord | null;

export interface RecordAnswer extends RecordId {
  readonly value: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly updatedAt: string;
  /** Paths of registers with values that `value` does not show. */
  readonly conflicts: readonly string[];
  readonly siblings?: Readonly<Record<string, readonly SiblingAnswer[]>>;
}

interface SiblingAnswer {
  readonly value: unknown;
  readonly at: string;
  readonly region: string | null;
  readonly shown: boolean;
}

/** The record as answers show it; with `allSiblings` also those that the fields' policies hide. */
export function recordAnswer(
  id: RecordId,
  view: RecordView | UnreadableRecord,
  allSiblings: boolean,
): RecordAnswer | UnreadableAnswer {
  if (view instanceof UnreadableRecord) return unreadableAnswer(id, view);
  const answer = {
    collection: id.collection,
    key: id.key,
    value: view.value,
    version: view.version,
    updatedAt: new Date(view.updatedAtMs).toISOString(),
    conflicts: [...view.siblings.keys()],
  };
  const shown = answer.conflicts.filter((field) => allSiblings || view.showing.includes(field));
  if (shown.length === 0) return answer;
  const siblings = shown.map((field) => [field, view.siblings.get(field)?.map(siblingAnswer) ?? []] as const);
  return { ...answer, siblings: Object.fromEntries(siblings) };
}

function siblingAnswer({ value, atMs, actor, shown }: Sibling): SiblingAnswer {
  return { value, at: new Date(atMs).toISOString(), region: regionOfActor(actor), shown };
}
