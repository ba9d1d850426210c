import { actorOf, parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, it } from 'vitest';
import type { ApiParts } from './api-parts.ts';
import { switchedParts } from './switched-parts.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');

type Opened = Omit<ApiParts, 'drain'>;

/** Parts that commit everything at once, and tokens that say whose they are. */
function opened(name: string): Opened {
  const none = () => expect.fail('not asked here');
  return {
    collections: new Map(),
    store: { read: none, list: none, listConflicting: none },
    journal: {
      write: () =>
        Promise.resolve({
          kind: 'done',
          results: [],
          commit: { end: 7n, seen: { applied: [], ahead: [] } },
        }),
    },
    peers: { find: none },
    guards: { check: none },
    writers: { self: actorOf(eu, { counter: 1, nonce: 1 }), closed: new Set(), actorOf: none },
    sessions: {
      parse: none,
      reach: none,
      tokenOf: () => name,
      afterRead: none,
      afterWrite: () => name,
    },
  };
}

it.each([
  ['nothing is open', null],
  ['another incarnation is', opened('second')],
])('what was written is told by who wrote it, also where %s by then', async (_name, next) => {
  let current: Opened | null = opened('first');
  const parts = switchedParts(() => current);
  const outcome = await parts.journal.write([]);
  current = next;
  const commit = outcome.kind === 'done' ? outcome.commit : null;
  expect(commit && parts.sessions.afterWrite(null, [], commit)).toBe('first');
  if (next === null)
    await expect(parts.journal.write([])).rejects.toMatchObject({ code: 'database-unavailable' });
});
