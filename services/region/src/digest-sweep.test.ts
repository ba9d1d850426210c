import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { StoredRecord } from '@isthmus/replication/ports/record-store';
import { expect, test } from 'vitest';
import { Digester } from './admin/digest.ts';
import { parseDeclarations } from './declarations.ts';
import { DigestSweep } from './digest-sweep.ts';
import { recordTypes } from './records/record-types.ts';
import { VerifiedSweeps } from './verified-sweeps.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const signal = new AbortController().signal;
const wanted = { since: 'heal', isStill: true, mayCompare: true, signal };
const empty = '0'.repeat(32);
const fields = { name: { type: 'register' } };
const parsed = parseDeclarations(
  JSON.stringify({ collections: { products: { fields }, orders: { fields } } }),
);
const collections = recordTypes(parsed.kind === 'declared' ? parsed.declarations : expect.fail());

async function* nothing(): AsyncGenerator<readonly StoredRecord[]> {}

/** Nothing is stored here; the peer tells this. */
function comparing(told: Record<string, string>): DigestSweep {
  const digester = new Digester({ store: { scan: nothing }, clock: { nowMs: () => 0 } });
  const has = (name: string): readonly (readonly [string, string])[] => {
    const digest = told[name];
    return digest === undefined ? [] : [[name, digest]];
  };
  const client = {
    digests: async (_peer: unknown, names: readonly string[]) => new Map(names.flatMap(has)),
  };
  return new DigestSweep({ collections, digester, client });
}

test('digests are equal once all collections were, each at some reading', async () => {
  const told: Record<string, string> = { products: 'other', orders: empty };
  const sweep = comparing(told);
  expect(await sweep.cleanSweepSince(us, wanted)).toBeNull();
  [told['products'], told['orders']] = [empty, 'other'];
  const both = { products: empty, orders: empty };
  expect(await sweep.cleanSweepSince(us, wanted)).toEqual({ own: both, peer: both });
});

test('a proof by transfer ends it with what both sides can tell, be it nothing', async () => {
  const row = { peer: us, throughMs: 101, diverged: false, sweptAtMs: null, isWanted: false };
  const proof = { ...row, cleanSweep: 1 };
  const verifications = { all: async () => [proof], want: async () => new Map([[us, 1]]) };
  const endOf = async (told: Record<string, string>) => {
    const sweeps = new VerifiedSweeps(comparing(told), verifications);
    expect(await sweeps.cleanSweepSince(us, wanted)).toBeNull();
    return sweeps.cleanSweepSince(us, wanted);
  };
  expect(await endOf({ orders: 'other' })).toEqual({ own: { orders: empty }, peer: { orders: 'other' } });
  expect(await endOf({})).toEqual({ own: {}, peer: {} });
});

test('a scan ends when its digester is closed', async () => {
  let isLeft = false;
  async function* long(): AsyncGenerator<readonly StoredRecord[]> {
    try {
      for (let chunk = 0; chunk < 100; chunk++) yield [];
    } finally {
      isLeft = true;
    }
  }
  const digester = new Digester({ store: { scan: long }, clock: { nowMs: () => 0 } });
  const type = collections.get('products') ?? expect.fail('products are declared');
  const digest = digester.digest('products', type);
  digester.close();
  await expect(digest).rejects.toMatchObject({ code: 'closed', retriable: true });
  expect(isLeft).toBe(true);
});
