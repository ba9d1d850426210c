/** What the public listener works on; `main.ts` joins the real parts, and nothing here knows which database it is. */
import type { Journal } from '@isthmus/replication/journal/journal';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { Drain } from '../drain.ts';
import { nearest } from '../nearest.ts';
import type { PeerActors } from '../peer-actors.ts';
import { Problem } from '../problem.ts';
import type { RecordType } from '../records/record-type.ts';
import type { Writers } from '../records/rights.ts';
import type { SessionParts } from './sessions.ts';
import type { WriteGuards } from './write-guards.ts';

export interface ApiParts {
  readonly collections: ReadonlyMap<string, RecordType>;
  readonly store: Pick<RecordStore, 'read' | 'list' | 'listConflicting'>;
  readonly journal: Pick<Journal, 'write'>;
  readonly peers: Pick<PeerActors, 'find'>;
  readonly guards: Pick<WriteGuards, 'check'>;
  readonly sessions: SessionParts;
  readonly writers: Writers;
  readonly drain: Drain;
}

/** Throws `unknown-collection`. */
export function collectionOf(parts: Pick<ApiParts, 'collections'>, name: string): RecordType {
  const type = parts.collections.get(name);
  if (type !== undefined) return type;
  const near = nearest(name, parts.collections.keys());
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  throw new Problem('unknown-collection', `No collection ${JSON.stringify(name.slice(0, 64))}.${hint}`);
}

/** Throws `draining` once the process is being stopped. */
export function refuseWhileDraining(drain: Drain): void {
  if (drain.draining)
    throw new Problem(
      'draining',
      'This process is being stopped and takes no new writes; nothing was written.',
    );
}
