/** A region that joins while a peer's later life is known here and its past is not (P6, P9). */
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { Joining } from '@isthmus/replication/guard/joining';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { MemoryRegion, silent } from './memory-region.ts';

const eu = parseRegionId('eu') ?? expect.fail('a region');
const second = { counter: 2, nonce: 8 };

test('a peer whose past is awaited is waited for, however far its later life has come, until it has given that', async () => {
  const timer = new ManualTimer();
  const us = new MemoryRegion('us', timer);
  const { records, transfers, jobs, beats, self } = us;
  let isJoining = true;
  const joined = async () => {
    isJoining = false;
  };
  const written = { incarnation: second, beat: 9, count: 5 };
  const echo = { echoedBeat: null, changesAgeMs: null, written, namesCaller: true };
  const joining = new Joining({
    peers: [eu],
    partitionCount: self.partitionCount,
    store: { isJoining: async () => isJoining, joined },
    client: { ping: async () => echo },
    beats,
    closed: () => [],
    timer,
    logger: silent,
  });
  const past = { region: eu, incarnation: second };
  const beat = { number: 12, lsn: 20n, atMs: 0, count: 5, end: 21n };
  const row = { origin: eu, incarnation: second, applied: 30n, settled: 30n, beat, nextOffset: 4n };
  for (let partition = 0; partition < self.partitionCount; partition++)
    await records.openLife({ ...row, partition });
  await joining.look();
  expect([joining.waitsFor, isJoining]).toEqual([[eu], true]);
  const job = await jobs.want({ donor: eu, origin: eu, cause: 'other-incarnation', isDryRun: false });
  const rest = { whole: [], vector: [], beats: [], floorMs: 0, partitionOf: () => 0, decide: () => [] };
  await transfers.raise({ region: self.region, job, given: [past], ...rest });
  await joining.look();
  expect([joining.waitsFor, isJoining]).toEqual([[], false]);
});
