import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { Ed25519Opener, Ed25519Sealer, SignedRoots } from '@isthmus/replication/log/ed25519-seal';
import { unsealed } from '@isthmus/replication/log/unsealed';
import {
  KeyRing,
  readPublicKey,
  readSigningKey,
  type PublicKey,
  type SigningKey,
} from '@isthmus/replication/log/signing-keys';
import { parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { SimSeals } from '../simulation/sim-seals.ts';
import { expiryMs, type SealBench, sealContract, startMs } from './log-seal.contract.ts';

const region = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [eu, us] = [region('eu'), region('us')];

const pairs = new Map<string, KeyPairKeyObjectResult>();

function pairOf(of: RegionId, key: number): KeyPairKeyObjectResult {
  const name = `${of} ${key}`;
  const pair = pairs.get(name) ?? generateKeyPairSync('ed25519');
  pairs.set(name, pair);
  return pair;
}

function signingKey(of: RegionId, key: number): SigningKey {
  const pem = pairOf(of, key).privateKey.export({ format: 'pem', type: 'pkcs8' });
  return readSigningKey(String(pem)) ?? expect.fail('a key that was made is read');
}

function publicKey(of: RegionId, key: number, span: Partial<PublicKey> = {}): PublicKey {
  const spki = pairOf(of, key).publicKey.export({ format: 'der', type: 'spki' });
  const read = readPublicKey(spki.toString('base64')) ?? expect.fail('a key that was made is read');
  return { ...read, region: of, notBeforeMs: null, notAfterMs: null, ...span };
}

function believed(): KeyRing {
  return new KeyRing([
    publicKey(eu, 0, { notAfterMs: expiryMs }),
    publicKey(eu, 1, { notBeforeMs: startMs }),
    publicKey(us, 0),
  ]);
}

const ed25519: SealBench = {
  sealer: (of, key) => new Ed25519Sealer(of, signingKey(of, key)),
  opener: (nowMs) => new Ed25519Opener(believed(), () => nowMs),
};

const simulated: SealBench = {
  sealer: (of, key) => new SimSeals([]).sealer({ region: of, key }),
  opener: (nowMs) =>
    new SimSeals([
      { region: eu, key: 0, notAfterMs: expiryMs },
      { region: eu, key: 1, notBeforeMs: startMs },
      { region: us, key: 0 },
    ]).opener(() => nowMs),
};

const roots = new SignedRoots();

/** As a region's own process has them. */
const ownEd25519: SealBench = {
  sealer: (of, key) => new Ed25519Sealer(of, signingKey(of, key), roots),
  opener: (nowMs) => new Ed25519Opener(believed(), () => nowMs, roots),
};

sealContract('Ed25519', ed25519);
sealContract('Ed25519 that are read back', ownEd25519);
sealContract('the simulator', simulated);

test('records that are published together share one signature', () => {
  const records = Array.from({ length: 8 }, (_, partition) => ({ partition, bytes: Buffer.from('x') }));
  const sealed = ed25519.sealer(eu, 0).seal('changes', records);
  const signatures = sealed.map(({ bytes }) => Buffer.from(bytes.subarray(-65, -1)).toString('hex'));
  expect(new Set(signatures).size).toBe(1);
});

test('a region alone without a key reads what it wrote, now and when it had one', () => {
  const [plain] = unsealed.seal('changes', [{ partition: 0, bytes: Buffer.from([1, 2]) }]);
  const place = { region: eu, topic: 'changes', partition: 0 } as const;
  expect(unsealed.open(place, plain?.bytes ?? expect.fail('sealed'))).toMatchObject({ kind: 'genuine' });
  const [sealed] = ed25519.sealer(eu, 0).seal('changes', [{ partition: 0, bytes: Buffer.from([1, 2]) }]);
  const opened = unsealed.open(place, sealed?.bytes ?? expect.fail('sealed'));
  expect(opened.kind === 'genuine' && Buffer.from(opened.body)).toEqual(Buffer.from([1, 2]));
  expect(unsealed.open(place, Buffer.from([0xa1]))).toEqual({ kind: 'refused', fault: 'malformed' });
});

test('no other kind of key is one, and no text that is none', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const pem = { format: 'pem', type: 'pkcs8' } as const;
  const own = String(pairOf(eu, 0).privateKey.export(pem));
  for (const text of [
    '',
    'x',
    own.slice(0, 60),
    String(rsa.privateKey.export(pem)),
    `${own}${' '.repeat(5000)}`,
  ])
    expect(readSigningKey(text)).toBeNull();
  const spki = rsa.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  for (const text of ['', 'x', spki, own]) expect(readPublicKey(text)).toBeNull();
});
