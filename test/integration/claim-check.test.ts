/** What is asked of the survivors before stranded rights are claimed (P8, I7), over donors in memory. */
import { contextOf, merge } from '@isthmus/conflict';
import { requireNobodyHasMore } from '@isthmus/region/admin/claim-check';
import { readOwnPast } from '@isthmus/region/admin/own-past';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { ReplicationError } from '@isthmus/replication/errors';
import type { Lsn } from '@isthmus/replication/ports/change';
import { actorOf, parseRegionId } from '@isthmus/replication/ports/identity';
import type { Relearning } from '@isthmus/replication/ports/incarnation-store';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import type { Self } from '@isthmus/replication/reach';
import { describe, expect, test } from 'vitest';
import { MemoryRegion } from './memory-region.ts';

const id = { collection: 'products', key: 'counted' };
/** As a region that takes writes and learns the rest later. */
const open: Relearning = { pasts: [], promised: null, sinceMs: 0, firstJob: 1, fill: null, isOpen: true };
const second = { counter: 2, nonce: 9 };

async function world() {
  const timer = new ManualTimer();
  const [ap, eu, us] = ['ap', 'eu', 'us'].map((name) => new MemoryRegion(name, timer));
  if (ap === undefined || eu === undefined || us === undefined) return expect.fail('three regions');
  await ap.edit(id, (editor) => editor.set('title', 'first'));
  for (const survivor of [eu, us]) await survivor.take({ ...id, state: await ap.state(id) });
  await timer.advance(1000);
  const donors = new Map([ap, eu, us].map((region) => [region.self.region, region]));
  const peer: TransferPeer = {
    ask: async (region, request) => {
      const donor = donors.get(region);
      if (donor === undefined) throw new ReplicationError('peer-unavailable', 'away', { retriable: true });
      return donor.donor.answer(request);
    },
  };
  /** As the region that eu is in its second life, if it has one. */
  const check = async (
    survivors = [us.self.region],
    self: Self = eu.self,
    learning: Relearning | null = null,
  ) => {
    const incarnations = { relearning: () => Promise.resolve(learning) };
    const past = await readOwnPast({ self, incarnations, transfers: eu.transfers });
    const own = await eu.state(id);
    const actors = [actorOf(ap.self.region, ap.self.incarnation)];
    const checking = requireNobodyHasMore({ survivors, peer, timer }, { id, own, actors, past });
    await Promise.all([checking.catch(() => undefined), timer.advance(1000)]);
    return checking;
  };
  return { ap, eu, us, timer, check };
}

test('they may be claimed where every survivor has the same of the actor, or less', async () => {
  const { us, eu, timer, check } = await world();
  await expect(check()).resolves.toBeUndefined();
  await us.edit(id, (editor) => editor.set('title', 'of its own'));
  await timer.advance(1000);
  await expect(check()).resolves.toBeUndefined();
  expect(contextOf(await eu.state(id)).last('us.1.00000001')).toBe(0);
});

test('they wait where a survivor has more, as a transfer leaves it that never came to its end', async () => {
  const { ap, us, timer, check } = await world();
  await ap.edit(id, (editor) => editor.set('title', 'second'));
  const more = merge(await us.state(id), await ap.state(id)).state;
  await us.take({ ...id, state: more });
  await timer.advance(1000);
  await expect(check()).rejects.toMatchObject({ code: 'claim-waits' });
});

test('they wait where a survivor does not answer', async () => {
  const { us, check } = await world();
  const away = parseRegionId('sa') ?? expect.fail('sa is a region');
  await expect(check([us.self.region, away])).rejects.toMatchObject({ code: 'claim-waits' });
});

describe('in a later life', () => {
  /** How far both regions have come of what eu wrote in its first life, and whether us has begun to read the second in every partition. */
  interface Come {
    readonly here: Lsn;
    readonly settledHere: Lsn;
    readonly there: Lsn;
    readonly settledThere: Lsn;
    readonly readsPresent: boolean;
    readonly learning: Relearning | null;
  }
  const all: Come = {
    here: 9n,
    settledHere: 9n,
    there: 9n,
    settledThere: 9n,
    readsPresent: true,
    learning: null,
  };

  async function checked(come: Come): Promise<void> {
    const { eu, us, check } = await world();
    const { region, incarnation, partitionCount } = eu.self;
    const at = { origin: region, beat: null, nextOffset: 0n };
    for (let partition = 0; partition < partitionCount; partition++) {
      const first = { ...at, incarnation, partition };
      await eu.records.createPosition({ ...first, applied: come.here, settled: come.settledHere });
      await us.records.createPosition({ ...first, applied: come.there, settled: come.settledThere });
      if (come.readsPresent || partition > 0)
        await us.records.createPosition({ ...at, incarnation: second, partition, applied: 1n, settled: 1n });
    }
    await check([us.self.region], { ...eu.self, incarnation: second }, come.learning);
  }

  test('they may be claimed once all of the former life has settled here', async () => {
    await expect(checked(all)).resolves.toBeUndefined();
    // What a survivor has put aside is here.
    await expect(checked({ ...all, settledThere: 4n })).resolves.toBeUndefined();
  });

  test.each<readonly [string, Partial<Come>, string]>([
    ['it is still learnt', { learning: open }, 'has not learnt'],
    ['something of it is put aside here', { settledHere: 4n }, 'put aside here'],
    [
      'a survivor has put aside what is not here',
      { here: 4n, settledHere: 4n, settledThere: 4n },
      'us may have',
    ],
    ['a survivor does not read the present life', { readsPresent: false }, 'us does not read'],
  ])('they wait where %s', async (_, come, detail) => {
    const waits = { code: 'claim-waits', message: expect.stringContaining(detail) };
    await expect(checked({ ...all, ...come })).rejects.toMatchObject(waits);
  });
});
