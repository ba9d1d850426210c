/**
 * The parts of the public listener as those of the database that is open at the moment of each call. A database that
 * becomes another incarnation is opened again while the listener stays; between the two every call is refused as if the
 * database did not answer, and nothing was written. What was written is told by those who wrote it, also where they are
 * closed by then.
 */
import type { SeenCommit } from '@isthmus/replication/ports/session-store';
import { Problem } from '../problem.ts';
import type { ApiParts } from './api-parts.ts';

type OpenedParts = Omit<ApiParts, 'drain'>;

export function switchedParts(current: () => OpenedParts | null): OpenedParts {
  const now = (): OpenedParts => {
    const parts = current();
    if (parts === null)
      throw new Problem('database-unavailable', 'The database is being opened again; nothing was written.');
    return parts;
  };
  const writers = new WeakMap<SeenCommit, OpenedParts>();
  return {
    get collections() {
      return now().collections;
    },
    store: {
      read: (id) => now().store.read(id),
      list: (query) => now().store.list(query),
      listConflicting: (query) => now().store.listConflicting(query),
    },
    journal: {
      write: async (writes) => {
        const parts = now();
        const outcome = await parts.journal.write(writes);
        if (outcome.kind === 'done' && outcome.commit !== null) writers.set(outcome.commit, parts);
        return outcome;
      },
    },
    peers: { find: (name) => now().peers.find(name) },
    sessions: {
      parse: (token) => now().sessions.parse(token),
      reach: (session, waitMs) => now().sessions.reach(session, waitMs),
      tokenOf: (session) => now().sessions.tokenOf(session),
      afterRead: (session, ids) => now().sessions.afterRead(session, ids),
      afterWrite: (session, ids, commit) =>
        (writers.get(commit) ?? now()).sessions.afterWrite(session, ids, commit),
    },
    writers: {
      get self() {
        return now().writers.self;
      },
      get closed() {
        return now().writers.closed;
      },
      actorOf: (region) => now().writers.actorOf(region),
    },
    guards: { check: (collections, place) => now().guards.check(collections, place) },
  };
}
