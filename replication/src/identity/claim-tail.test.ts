/** A claim of another database ends the writes at once (P9); one of our own database, or one that has lost, ends nothing. */
import { afterEach, expect, test } from 'vitest';
import { BatchQueue } from '../adapters/batch-queue.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import { encodeClaim } from '../log/claim-record.ts';
import { type Incarnation, parseRegionId } from '../ports/identity.ts';
import type { Continuity } from '../ports/identity-store.ts';
import { ClaimTail } from './claim-tail.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const other = parseRegionId('us') ?? expect.fail('us is a region');
const self = { region, incarnation: { counter: 2, nonce: 7 }, partitionCount: 1 };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let tail: ClaimTail | null = null;
afterEach(() => tail?.close());

/** What the database says; `null`: it does not answer. */
interface Database {
  noted: Incarnation | null;
  standing: Continuity['kind'];
  answers: boolean;
}

function listening() {
  const timer = new ManualTimer();
  const queue = new BatchQueue(1024 * 1024);
  const foreign: string[] = [];
  const database: Database = { noted: null, standing: 'same', answers: true };
  const subscription = {
    connected: true,
    next: () => queue.take(),
    rewind: async () => 0n,
    close: async () => queue.close(),
  };
  tail = new ClaimTail({
    self,
    past: {
      get standing() {
        return database.standing;
      },
      claim: async () => {
        if (database.answers) return database.noted;
        throw new ReplicationError('database-unavailable', 'away', { retriable: true });
      },
    },
    log: { claims: () => subscription },
    timer,
    logger: silent,
    onForeign: async (reason) => void foreign.push(reason),
  });
  tail.start();
  const say = async (bytes: Uint8Array): Promise<void> => {
    queue.push({ partition: 0, records: [{ offset: 0n, bytes }] });
    await timer.advance(1);
  };
  const claim = (counter: number, nonce = 9, of = region): Promise<void> =>
    say(encodeClaim({ region: of, incarnation: { counter, nonce } }));
  return { timer, foreign, database, say, claim };
}

test('a claim of a higher counter is another database, before it has published anything', async () => {
  const { foreign, claim } = listening();
  await claim(3);
  expect(foreign).toEqual(['another database of the region has claimed incarnation 3']);
});

test('a claim that this database has noted is its own', async () => {
  const { foreign, database, claim } = listening();
  database.noted = { counter: 3, nonce: 9 };
  await claim(3);
  expect(foreign).toEqual([]);
  await claim(3, 10);
  expect(foreign).toHaveLength(1);
});

test('a claim that has lost against this life, one of another region and one that cannot be read say nothing', async () => {
  const { foreign, say, claim } = listening();
  await claim(2);
  await claim(1);
  await claim(9, 9, other);
  await say(new Uint8Array([1, 2, 3, 4, 5, 6]));
  expect(foreign).toEqual([]);
});

test('a claim is not forgotten while the database does not answer', async () => {
  const { timer, foreign, database, claim } = listening();
  database.answers = false;
  await claim(3);
  expect(foreign).toEqual([]);
  database.answers = true;
  await timer.advance(10_000);
  expect(foreign).toHaveLength(1);
});

test('a database that is not proven writes nothing, and what it is about to find out is not decided here', async () => {
  const { foreign, database, claim } = listening();
  database.standing = 'unproven';
  await claim(3);
  expect(foreign).toEqual([]);
});
