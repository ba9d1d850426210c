/** Until when regions are believed, as far as this region's keys tell. */
import { generateKeyPairSync } from 'node:crypto';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { readPublicKey, readSigningKey } from '@isthmus/replication/log/signing-keys';
import { expect, test } from 'vitest';
import { keyEnds } from './log-seals.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const peer = parseRegionId('us') ?? expect.fail('us is a region');

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signingKey = readSigningKey(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  const known = readPublicKey(publicKey.export({ format: 'pem', type: 'spki' }).toString());
  if (signingKey === null || known === null) expect.fail('keys that Node makes can be read');
  return { signingKey, known };
}

const always = { notBeforeMs: null, notAfterMs: null };

test('a region is believed until the key ends that it signs with, whatever other keys it has', () => {
  const used = keyPair();
  const other = keyPair();
  const publicKeys = [
    { ...used.known, ...always, region, notAfterMs: 1000 },
    { ...other.known, ...always, region, notAfterMs: 9000 },
  ];
  expect([...keyEnds({ region, signingKey: used.signingKey, publicKeys })]).toEqual([[region, 1000]]);
});

test('a peer may sign with any of its keys, so it is believed until the last of them ends', () => {
  const own = keyPair();
  const [first, second] = [keyPair(), keyPair()];
  const publicKeys = [
    { ...first.known, ...always, region: peer, notAfterMs: 2000 },
    { ...second.known, ...always, region: peer, notAfterMs: 1000 },
  ];
  const config = { region, signingKey: own.signingKey, publicKeys };
  expect(keyEnds(config).get(peer)).toBe(2000);
  const endless = { ...keyPair().known, ...always, region: peer };
  expect(keyEnds({ ...config, publicKeys: [...publicKeys, endless] }).get(peer)).toBe(Infinity);
});

test('where logs are not signed, no key ends', () => {
  expect(keyEnds({ region, signingKey: 'none', publicKeys: [] }).size).toBe(0);
});
