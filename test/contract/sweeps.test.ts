/**
 * The contract of `Sweeps`: by digests alone, by digests or the sweeps of the transfer engine, and by the latter alone,
 * as the simulator has it.
 */
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryVerifications } from '@isthmus/replication/adapters/memory/verifications';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { StoredRecord } from '@isthmus/replication/ports/record-store';
import { Digester } from '@isthmus/region/admin/digest';
import { parseDeclarations } from '@isthmus/region/declarations';
import { DigestSweep } from '@isthmus/region/digest-sweep';
import { recordTypes } from '@isthmus/region/records/record-types';
import { VerifiedSweeps } from '@isthmus/region/verified-sweeps';
import { expect } from 'vitest';
import { simSweeps } from '../simulation/sim-incidents.ts';
import { SimulatedRegion } from './simulated-region.ts';
import { type ComparedDigests, sweepsContract } from './sweeps.contract.ts';

const fields = { name: { type: 'register' } };
const parsed = parseDeclarations(
  JSON.stringify({ collections: { products: { fields }, orders: { fields } } }),
);
const collections = recordTypes(parsed.kind === 'declared' ? parsed.declarations : expect.fail());
/** Of a collection without records. */
const empty = '0'.repeat(32);

/** Nothing is stored here; what the peer says is up to the test. */
function compared(): { readonly sweep: DigestSweep; readonly digests: ComparedDigests } {
  let equal: readonly string[] = [];
  let onScan: (() => Promise<void>) | null = null;
  async function* scan(): AsyncGenerator<readonly StoredRecord[]> {
    await onScan?.();
    yield [];
  }
  const digester = new Digester({ store: { scan }, clock: { nowMs: () => 0 } });
  const digestOf = (name: string) => [name, equal.includes(name) ? empty : 'other'] as const;
  const client = {
    digests: async (_peer: RegionId, names: readonly string[], signal: AbortSignal) =>
      new Map(signal.aborted ? [] : names.map(digestOf)),
  };
  const sweep = new DigestSweep({ collections, digester, client });
  const digests: ComparedDigests = {
    equal: (names) => {
      equal = names;
    },
    hang: () =>
      new Promise((resolve) => {
        onScan = () => {
          resolve();
          return new Promise(() => undefined);
        };
      }),
  };
  return { sweep, digests };
}

sweepsContract('digests', async () => {
  const { sweep, digests } = compared();
  return { sweeps: sweep, verifications: null, digests, goDown: null, close: async () => undefined };
});

sweepsContract('digests or transfers', async () => {
  const { sweep, digests } = compared();
  const verifications = new MemoryVerifications(new MemoryDatabase({ nowMs: () => 1000 }));
  return {
    sweeps: new VerifiedSweeps(sweep, verifications),
    verifications,
    digests,
    goDown: null,
    close: async () => undefined,
  };
});

sweepsContract('the simulator', async () => {
  const simulated = new SimulatedRegion();
  const { verifications } = simulated.open();
  return {
    sweeps: simSweeps(verifications),
    verifications,
    digests: null,
    goDown: () => simulated.goDown(),
    close: () => simulated.close(),
  };
});
