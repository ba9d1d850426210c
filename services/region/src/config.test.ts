import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, type Environment, describeFault, readConfig } from './config.ts';

const minimal = { ISTHMUS_REGION: 'eu', ISTHMUS_DATABASE_URL: 'postgres://isthmus:s3cret@db:5432/isthmus' };

const pairs = { eu: generateKeyPairSync('ed25519'), us: generateKeyPairSync('ed25519') };
const publicKeys = (...regions: readonly (keyof typeof pairs)[]): string => {
  const keyOf = (region: keyof typeof pairs) =>
    pairs[region].publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  return JSON.stringify(Object.fromEntries(regions.map((region) => [region, [{ key: keyOf(region) }]])));
};
const ownKey = pairs.eu.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
/** What a region with peers needs beside them. */
const keys = { ISTHMUS_SIGNING_KEY: ownKey, ISTHMUS_PUBLIC_KEYS: publicKeys('eu', 'us') };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function valid(environment: Environment): Config {
  const result = readConfig(environment);
  if (result.kind === 'invalid') throw new TypeError(result.faults.map(describeFault).join('\n'));
  return result.config;
}

function faults(environment: Environment): readonly string[] {
  const result = readConfig(environment);
  return result.kind === 'invalid' ? result.faults.map(describeFault) : [];
}

describe('a valid environment', () => {
  it('needs only region and database', () => {
    expect(valid(minimal)).toEqual({
      region: 'eu',
      databaseUrl: minimal.ISTHMUS_DATABASE_URL,
      log: { kind: 'postgres', isGiven: false },
      logPassword: '',
      kafkaReplicas: 'any',
      logRetentionHours: 168,
      logRetentionMebibytes: 1024,
      peers: [],
      apiAddress: { host: '0.0.0.0', port: 8080 },
      adminAddress: { host: '127.0.0.1', port: 8081 },
      roles: new Set(['api', 'replicator']),
      collections: new Map(),
      logLevel: 'info',
      sessionKey: '',
      peerSecret: '',
      signingKey: 'none',
      publicKeys: [],
    });
  });

  const apKey = generateKeyPairSync('ed25519')
    .publicKey.export({ format: 'der', type: 'spki' })
    .toString('base64');

  it('takes peers with brokers as text or as a list', () => {
    const peers = [
      { region: 'us', brokers: 'a:9092, b:9092', admin: 'http://us:8081/' },
      { region: 'ap', brokers: ['c:9092'], admin: 'https://ap/admin' },
    ];
    const config = valid({
      ...minimal,
      ...keys,
      ISTHMUS_PUBLIC_KEYS: JSON.stringify({ ...JSON.parse(keys.ISTHMUS_PUBLIC_KEYS), ap: [{ key: apKey }] }),
      ISTHMUS_PEERS: JSON.stringify(peers),
      ISTHMUS_KAFKA_BROKERS: 'k:9092',
    });
    expect(config.peers).toEqual([
      { region: 'us', log: { kind: 'kafka', brokers: ['a:9092', 'b:9092'] }, admin: 'http://us:8081' },
      { region: 'ap', log: { kind: 'kafka', brokers: ['c:9092'] }, admin: 'https://ap/admin' },
    ]);
  });

  const logUrl = 'postgres://isthmus_log_us:s3cret@us:5432/isthmus?sslmode=verify-full';
  const peerInPostgres = JSON.stringify([{ region: 'us', brokers: logUrl, admin: 'http://us:8081' }]);

  it('takes a peer whose log is in its Postgres, and keeps the own one there where no brokers are named', () => {
    const config = valid({
      ...minimal,
      ...keys,
      ISTHMUS_PEERS: peerInPostgres,
      ISTHMUS_LOG_PASSWORD: 'l0g-s3cret',
      ISTHMUS_LOG_RETENTION_HOURS: '24',
      ISTHMUS_LOG_RETENTION_MIB: '64',
    });
    expect(config.peers).toEqual([
      { region: 'us', log: { kind: 'postgres', url: logUrl }, admin: 'http://us:8081' },
    ]);
    expect(config).toMatchObject({
      log: { kind: 'postgres', isGiven: false },
      logPassword: 'l0g-s3cret',
      logRetentionHours: 24,
      logRetentionMebibytes: 64,
    });
    expect(valid({ ...minimal, ISTHMUS_KAFKA_BROKERS: 'postgres' }).log).toEqual({
      kind: 'postgres',
      isGiven: true,
    });
  });

  it('takes how many brokers hold each topic, or leaves it to how many there are', () => {
    expect(valid(minimal).kafkaReplicas).toBe('any');
    expect(valid({ ...minimal, ISTHMUS_KAFKA_REPLICAS: '3' }).kafkaReplicas).toBe(3);
  });

  it('takes peers from a file, since they may hold passwords', () => {
    const config = valid({ ...minimal, ...keys, ISTHMUS_PEERS_FILE: file('peers.json', peerInPostgres) });
    expect(config.peers.map(({ log }) => log)).toEqual([{ kind: 'postgres', url: logUrl }]);
  });

  it('takes the secret from a file without its line end', () => {
    const path = file('url', `${minimal.ISTHMUS_DATABASE_URL}\n`);
    const config = valid({ ISTHMUS_REGION: 'eu', ISTHMUS_DATABASE_URL_FILE: path });
    expect(config.databaseUrl).toBe(minimal.ISTHMUS_DATABASE_URL);
  });

  it('ignores what Kubernetes sets for services and knows the names of the command line', () => {
    const config = valid({
      ...minimal,
      ISTHMUS_SERVICE_HOST: '10.0.0.1',
      ISTHMUS_API_SERVICE_PORT_HTTP: '80',
      ISTHMUS_ADMIN_PORT_8081_TCP_ADDR: '10.0.0.1',
      ISTHMUS_PORT: 'tcp://10.0.0.1:80',
      ISTHMUS_API: 'http://x',
      ISTHMUS_ADMIN: 'http://x',
    });
    expect(config.apiAddress.port).toBe(8080);
  });

  it('takes an IPv6 address, and an empty optional variable as not set', () => {
    const config = valid({ ...minimal, ISTHMUS_API_ADDRESS: '[::1]:0', ISTHMUS_PEERS: '' });
    expect(config.apiAddress).toEqual({ host: '::1', port: 0 });
  });

  it('shows itself without the password', () => {
    const result = readConfig({
      ...minimal,
      ...keys,
      ISTHMUS_DATABASE_URL: 'postgres://isthmus:s3cret@db/isthmus?sslpassword=t0ken',
      ISTHMUS_LOG_PASSWORD: 'l0g-s3cret',
      ISTHMUS_PEERS: peerInPostgres,
    });
    const shown = JSON.stringify(result.kind === 'valid' ? result.shown : null);
    expect(shown).toContain('postgres://isthmus:hidden@db/isthmus');
    expect(shown).toContain('(hidden)@us:5432/isthmus');
    expect(shown).toContain('"ISTHMUS_KAFKA_BROKERS":"postgres"');
    expect(shown).not.toMatch(/s3cret|t0ken|PRIVATE/);
    expect(shown).toContain('"ISTHMUS_SIGNING_KEY":"(hidden)"');
  });

  it.each(['pass,w0rd', 'p@ss,w0rd', 'p@ss/w0rd'])('shows no part of the password %s', (password) => {
    const brokers = `postgres://reader:${password}@us:5432/isthmus`;
    const peers = JSON.stringify([{ region: 'us', brokers, admin: 'http://us:8081' }]);
    for (const environment of [{ ISTHMUS_PEERS: peers }, { ISTHMUS_KAFKA_BROKERS: brokers }]) {
      const result = readConfig({ ...minimal, ...keys, ...environment });
      const told = JSON.stringify(result.kind === 'valid' ? result.shown : result.faults);
      expect(told).toContain('(hidden)@us:5432');
      expect(told).not.toMatch(/pass|p@ss|w0rd/);
    }
  });
});

describe('an invalid environment', () => {
  it.each<[string, Environment, RegExp]>([
    ['no region', { ...minimal, ISTHMUS_REGION: undefined }, /^ISTHMUS_REGION is not set; it takes a name/],
    [
      'a region in capitals',
      { ...minimal, ISTHMUS_REGION: 'EU' },
      /^ISTHMUS_REGION holds "EU"; it takes a name/,
    ],
    ['no database', { ISTHMUS_REGION: 'eu' }, /^ISTHMUS_DATABASE_URL is not set; it takes postgres:/],
    [
      'a database of another kind',
      { ...minimal, ISTHMUS_DATABASE_URL: 'mysql://u:s3cret@h/d' },
      /holds \(hidden\)/,
    ],
    [
      'a misspelt name',
      { ...minimal, ISTHMUS_REGIN: 's3cret' },
      /^ISTHMUS_REGIN holds \(hidden\).*did you mean ISTHMUS_REGION\?$/,
    ],
    ['a strange name', { ...minimal, ISTHMUS_COLOUR_OF_THE_SHED: 'x' }, /the names are ISTHMUS_REGION/],
    [
      'a port too high',
      { ...minimal, ISTHMUS_API_ADDRESS: 'x:65536' },
      /^ISTHMUS_API_ADDRESS holds "x:65536"; it takes host:port/,
    ],
    [
      'a short password of the log',
      { ...minimal, ISTHMUS_LOG_PASSWORD: 's3cret' },
      /^ISTHMUS_LOG_PASSWORD holds \(hidden\)/,
    ],
    ['no replica', { ...minimal, ISTHMUS_KAFKA_REPLICAS: '0' }, /from 1 to 9$/],
    ['no time to keep', { ...minimal, ISTHMUS_LOG_RETENTION_HOURS: '0' }, /from 1 to 87840$/],
    ['brokers of another kind', { ...minimal, ISTHMUS_KAFKA_BROKERS: 'mysql' }, /or postgres$/],
    [
      'a peer with a password among the parameters',
      {
        ...minimal,
        ISTHMUS_PEERS: JSON.stringify([
          { region: 'us', brokers: 'postgres://u@h/d?password=s3cret', admin: 'http://us' },
        ]),
      },
      /^ISTHMUS_PEERS holds \(hidden\)/,
    ],
    [
      'a peer whose log nobody in particular reads',
      { ...minimal, ISTHMUS_PEERS: '[{"region":"us","brokers":"postgres://h/d","admin":"http://us"}]' },
      /"postgres:\/\/role:password@host:port\/database"/,
    ],
    ['an unknown role', { ...minimal, ISTHMUS_ROLES: 'api,boss' }, /^ISTHMUS_ROLES holds "api,boss"/],
    ['an unknown level', { ...minimal, ISTHMUS_LOG_LEVEL: 'loud' }, /it takes one of fatal, error/],
    [
      'peers that are not JSON',
      { ...minimal, ISTHMUS_PEERS: '{' },
      /^ISTHMUS_PEERS holds "\{"; it takes a JSON array/,
    ],
    [
      'a secret twice',
      { ...minimal, ISTHMUS_DATABASE_URL_FILE: '/x' },
      /^ISTHMUS_DATABASE_URL_FILE holds "\/x"; it takes nothing/,
    ],
    [
      'a secret in no file',
      { ISTHMUS_REGION: 'eu', ISTHMUS_DATABASE_URL_FILE: '/nowhere' },
      /the path of a readable file/,
    ],
    [
      'no declarations file',
      { ...minimal, ISTHMUS_COLLECTIONS: '/nowhere' },
      /^ISTHMUS_COLLECTIONS holds "\/nowhere"/,
    ],
  ])('says what is wrong: %s', (_name, environment, expected) => {
    const found = faults(environment);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
    expect(found[0]).not.toContain('s3cret');
  });

  it('refuses itself as a peer, a peer twice, and peers without an own log', () => {
    const peer = (region: string) => ({ region, brokers: 'k:1', admin: 'http://a' });
    const peers = (...names: string[]) => JSON.stringify(names.map(peer));
    const withLog = { ...minimal, ...keys, ISTHMUS_KAFKA_BROKERS: 'k:1' };
    const same = { ISTHMUS_API_ADDRESS: '127.0.0.1:9', ISTHMUS_ADMIN_ADDRESS: '127.0.0.1:9' };
    expect(faults({ ...minimal, ...same })[0]).toMatch(
      /^ISTHMUS_ADMIN_ADDRESS holds 127.0.0.1:9; it takes another/,
    );
    const secret = JSON.stringify([{ region: 'us', brokers: 'b:1', admin: 'http://me:topsecret@a:1' }]);
    expect(faults({ ...withLog, ISTHMUS_PEERS: secret })[0]).toMatch(/\(hidden\)@a:1/);
    expect(faults({ ...withLog, ISTHMUS_PEERS: secret })[0]).not.toContain('topsecret');
    expect(faults({ ...minimal, ISTHMUS_KAFKA_BROKERS: 'me:top/se@cret@b:1' })[0]).toMatch(
      /holds "\(hidden\)@b:1"/,
    );
    expect(faults({ ...withLog, ISTHMUS_PEERS: peers('eu') })[0]).toMatch(/other regions only/);
    expect(faults({ ...withLog, ISTHMUS_PEERS: peers('us', 'us') })[0]).toMatch(/each region once/);
    expect(faults({ ...minimal, ISTHMUS_PEERS: peers('us') })[0]).toMatch(
      /^ISTHMUS_KAFKA_BROKERS is not set/,
    );
    expect(faults({ ...withLog, ISTHMUS_PEERS: peers('us') })).toEqual([]);
  });

  it('reports all faults at once', () => {
    expect(faults({ ISTHMUS_REGION: '-', ISTHMUS_ROLES: 'x', ISTHMUS_X: '' })).toHaveLength(4);
  });
});

describe('keys', () => {
  const peer = JSON.stringify([{ region: 'us', brokers: 'k:1', admin: 'http://a' }]);
  const withPeer = { ...minimal, ISTHMUS_KAFKA_BROKERS: 'k:1', ISTHMUS_PEERS: peer };
  const span = (notBefore: string, notAfter: string): string => {
    const [listed] = JSON.parse(publicKeys('eu')).eu;
    return JSON.stringify({ eu: [{ ...listed, notBefore, notAfter }] });
  };

  it('are read with the time in which they count', () => {
    const [from, to] = ['2026-01-02T03:04:05Z', '2027-01-02T03:04:05+01:00'];
    const { publicKeys: read, signingKey } = valid({ ...minimal, ISTHMUS_PUBLIC_KEYS: span(from, to) });
    expect(signingKey).toBe('none');
    expect(read).toMatchObject([{ region: 'eu', notBeforeMs: Date.parse(from), notAfterMs: Date.parse(to) }]);
  });

  it.each<[string, Environment, RegExp]>([
    ['none, with peers', {}, /^ISTHMUS_SIGNING_KEY is not set; it takes the key of this region/],
    ['nobody is believed', { ISTHMUS_SIGNING_KEY: ownKey }, /^ISTHMUS_PUBLIC_KEYS is not set; .*keys of eu/],
    [
      'the peer is not believed',
      { ISTHMUS_SIGNING_KEY: ownKey, ISTHMUS_PUBLIC_KEYS: publicKeys('eu') },
      /^ISTHMUS_PUBLIC_KEYS holds 1 keys; it takes a key at least of us$/,
    ],
    [
      'the own key is not believed',
      { ISTHMUS_SIGNING_KEY: ownKey, ISTHMUS_PUBLIC_KEYS: publicKeys('us') },
      /among the keys of eu that which the region signs with, [0-9a-f]{16}$/,
    ],
    [
      'a key of another kind',
      { ISTHMUS_SIGNING_KEY: 's3cret', ISTHMUS_PUBLIC_KEYS: publicKeys('eu', 'us') },
      /^ISTHMUS_SIGNING_KEY holds \(hidden\); it takes an Ed25519 private key/,
    ],
    ['no list', { ...keys, ISTHMUS_PUBLIC_KEYS: '[]' }, /^ISTHMUS_PUBLIC_KEYS holds \(hidden\)/],
    [
      'a time that ends first',
      { ISTHMUS_PUBLIC_KEYS: span('2027-01-01T00:00:00Z', '2026-01-01T00:00:00Z') },
      /none twice/,
    ],
    [
      'a private key among them',
      { ...keys, ISTHMUS_PUBLIC_KEYS: JSON.stringify({ eu: [{ key: ownKey }] }) },
      /\(hidden\)/,
    ],
  ])('are refused: %s', (_name, environment, expected) => {
    const [found, ...others] = faults({ ...withPeer, ...environment });
    expect(others).toEqual([]);
    expect(found).toMatch(expected);
    expect(found).not.toMatch(/s3cret|PRIVATE/);
  });

  it('come from a file that nobody else can read', () => {
    const path = file('own.key', ownKey);
    const environment = { ...minimal, ISTHMUS_SIGNING_KEY_FILE: path, ISTHMUS_PUBLIC_KEYS: publicKeys('eu') };
    chmodSync(path, 0o600);
    expect(faults(environment)).toEqual([]);
    for (const mode of [0o604, 0o620, 0o666]) {
      chmodSync(path, mode);
      expect(faults(environment)[0]).toMatch(/^ISTHMUS_SIGNING_KEY_FILE holds .*chmod 600$/);
    }
  });
});
