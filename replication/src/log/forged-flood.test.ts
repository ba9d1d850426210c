/** What comes of a log into which somebody without the key writes without end, under the name of the true one. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { FeedBatch, FeedSubscription } from '../ports/change-feed.ts';
import { parseRegionId } from '../ports/identity.ts';
import { Ed25519Opener, Ed25519Sealer } from './ed25519-seal.ts';
import { OpenedFeed } from './opened-logs.ts';
import { writeSealed } from './sealed-record.ts';
import { KeyRing, readPublicKey, readSigningKey } from './signing-keys.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signing =
  readSigningKey(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()) ?? expect.fail('a key');
const known =
  readPublicKey(publicKey.export({ format: 'pem', type: 'spki' }).toString()) ?? expect.fail('a key');

function reading(batch: FeedBatch): FeedSubscription {
  const left = [batch];
  return {
    next: async () => left.shift() ?? null,
    rewind: async () => 0n,
    connected: true,
    close: async () => undefined,
  };
}

/** For which part of all the time nothing else had its turn, at the longest. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  let [lastMs, longestMs] = [performance.now(), 0];
  const look = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  };
  const timer = setInterval(look, 1);
  await work();
  clearInterval(timer);
  look();
  return longestMs / (lastMs - begunMs);
}

test('records that were forged hold up nothing else in the process, and the true ones among them are read (I8)', async () => {
  const opener = new Ed25519Opener(
    new KeyRing([{ ...known, region, notBeforeMs: null, notAfterMs: null }]),
    () => 0,
  );
  const sealer = new Ed25519Sealer(region, signing);
  const count = 20_000;
  const records = Array.from({ length: count }, (_, at) => {
    const forged = {
      keyId: known.id,
      index: 0,
      path: [],
      signature: randomBytes(64),
      body: Buffer.from('x'),
    };
    return { offset: BigInt(at), bytes: writeSealed(forged) };
  });
  const [genuine] = sealer.seal('changes', [{ partition: 0, bytes: Buffer.from('true') }]);
  records.splice(count - 1, 1, { offset: BigInt(count), bytes: Buffer.from(genuine?.bytes ?? '') });
  let refused = 0;
  const feed = new OpenedFeed(
    {
      subscribe: () => reading({ partition: 0, records }),
      subscribeProgress: () => expect.fail('nobody asks'),
    },
    { opener, onRefused: () => void refused++ },
  );
  let read: FeedBatch | null = null;
  const blocked = await longestBlock(async () => {
    read = await feed.subscribe(region, [0n]).next();
  });
  expect(read).toMatchObject({ partition: 0 });
  const found = (read as FeedBatch | null)?.records ?? [];
  expect(found.filter(({ bytes }) => bytes.length > 0).map(({ bytes }) => String(bytes))).toEqual(['true']);
  expect([found.length, refused]).toEqual([count, count - 1]);
  expect(blocked).toBeLessThan(0.25);
});
