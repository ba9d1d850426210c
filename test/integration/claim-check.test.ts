/** What is asked of the survivors before stranded rights are claimed (P8, I7), over donors in memory. */
import { contextOf, merge } from '@isthmus/conflict';
import { requireNobodyHasMore } from '@isthmus/region/admin/claim-check';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { ReplicationError } from '@isthmus/replication/errors';
import { actorOf, parseRegionId } from '@isthmus/replication/ports/identity';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import { expect, test } from 'vitest';
import { MemoryRegion } from './memory-region.ts';

const id = { collection: 'products', key: 'counted' };

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
  const check = async (survivors = [us.self.region]) => {
    const own = await eu.state(id);
    const actors = [actorOf(ap.self.region, ap.self.incarnation)];
    const checking = requireNobodyHasMore({ survivors, peer, timer }, { id, own, actors });
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
