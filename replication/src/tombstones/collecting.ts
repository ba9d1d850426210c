/**
 * What becomes of a dead record that two barriers have passed (P8): it is dropped where nothing of it could ever count
 * again, and else purged by an edit that takes what its deletion hides, without hiding anything itself. What cannot be
 * read, or whose texts nobody here can read, stays; and so does what is stamped later than it is now, until it is, because a
 * drop leaves its stamp to every record that is written first afterwards (P3). Pure.
 */
import {
  ConflictError,
  collectable,
  contextOf,
  type Edited,
  highestStamp,
  register,
  schema,
  type TextEngine,
  VersionVector,
} from '@isthmus/conflict';
import type { Actor } from '../ports/identity.ts';
import type { StoredRecord } from '../ports/record-store.ts';
import type { Verdict } from '../ports/tombstone-store.ts';

export interface Judge {
  readonly actor: Actor;
  readonly nowMs: number;
}

export function judge({ state }: StoredRecord, { actor, nowMs }: Judge): Verdict {
  switch (kindOf(state)) {
    case 'live':
      return { kind: 'lives' };
    case 'droppable': {
      const stampMs = highestStamp(state) ?? 0;
      if (stampMs > nowMs) return { kind: 'stays' };
      return { kind: 'drop', ownCounter: contextOf(state).last(actor), stampMs };
    }
    case 'hiding':
    case 'unreadable':
      return { kind: 'stays' };
  }
}

export function isHiding(state: Uint8Array): boolean {
  return kindOf(state) === 'hiding';
}

function kindOf(state: Uint8Array): ReturnType<typeof collectable> | 'unreadable' {
  try {
    return collectable(state);
  } catch (reason) {
    if (reason instanceof ConflictError) return 'unreadable';
    throw reason;
  }
}

export interface PurgeContext {
  readonly actor: Actor;
  readonly floor: number;
  readonly floorMs: number;
  readonly now: number;
}

/** Deletes what the deletion of a dead record hides; nothing of that depends on the declaration of its fields. */
export class Purge {
  readonly #schema;

  /** Without an engine, records that hide texts are kept. */
  constructor(text: TextEngine | null) {
    this.#schema = schema({ any: register() }, text === null ? {} : { text });
  }

  /** `null` where it changes nothing. */
  edit(state: Uint8Array, context: PurgeContext): Edited | null {
    try {
      const seen = contextOf(state);
      const counters = [...seen.actors()].map((actor) => [actor, seen.last(actor)] as const);
      const horizon = VersionVector.from(counters);
      const edited = this.#schema.edit(state, { ...context, horizon }, (editor) => editor.delete());
      return edited.changed ? edited : null;
    } catch (reason) {
      if (reason instanceof ConflictError) return null;
      throw reason;
    }
  }
}
