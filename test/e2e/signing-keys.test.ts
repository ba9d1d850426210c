/**
 * Keys of a region are replaced while everything goes on: first every region knows the new one, then the region signs with
 * it. Where a peer is told too late, it believes nothing meanwhile and fetches afterwards what it passed over (P4, P6).
 */
import { type ServerCluster, startServers } from '@isthmus/local/cluster';
import { prepareRegionProcess, type RegionProcess } from '@isthmus/local/region-process';
import { newKey, type RegionKey } from '@isthmus/local/signing-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { RegionClient } from './region-client.ts';
import { converged } from './verdict.ts';

type Name = 'eu' | 'us';

let servers: ServerCluster;
const processes = new Map<Name, RegionProcess>();

beforeAll(async () => {
  servers = await startServers({ regions: ['eu', 'us'] });
}, 150_000);

afterAll(async () => {
  await Promise.all([...processes.values()].map((each) => each.stop()));
  await servers.stop();
}, 60_000);

interface Keys {
  readonly own: RegionKey;
  readonly eu: readonly RegionKey[];
  readonly us: readonly RegionKey[];
}

/** Starts the region with these keys, in place of its former process. */
async function start(region: Name, { own, eu, us }: Keys): Promise<RegionClient> {
  const peer = region === 'eu' ? 'us' : 'eu';
  await processes.get(region)?.stop();
  const found = servers.regions.find((each) => each.region === region) ?? expect.fail('it has servers');
  const [incoming, outgoing] = [servers.links.find(peer, region), servers.links.find(region, peer)];
  if (incoming === undefined || outgoing === undefined) return expect.fail('links join them');
  const listed = (keys: readonly RegionKey[]) => keys.map(({ publicKey: key }) => ({ key }));
  const prepared = await prepareRegionProcess({
    region,
    database: found.postgres.url,
    settings: {
      ISTHMUS_KAFKA_BROKERS: found.brokers,
      ISTHMUS_SIGNING_KEY: own.privateKey,
      ISTHMUS_PUBLIC_KEYS: JSON.stringify({ eu: listed(eu), us: listed(us) }),
    },
    peers: [
      {
        region: peer,
        brokers: `${incoming.log.host}:${incoming.log.port}`,
        admin: outgoing.admin,
      },
    ],
  });
  incoming.leadAdminTo(prepared.adminAddress);
  const started = await prepared.start();
  processes.set(region, started);
  return new RegionClient({ region, api: started.api, admin: started.admin });
}

async function write(region: RegionClient, key: string): Promise<void> {
  await until(`${region.region} takes ${key}`, 40_000, async () => {
    const { status } = await region.put('products', key, { title: key });
    return status < 300;
  });
}

const has = (region: RegionClient, key: string) => async (): Promise<boolean> =>
  (await region.get('products', key)).status === 200;

test('a key is replaced by one that everybody knows, and a peer that was told too late catches up', async () => {
  const [first, second, third, ofUs] = [newKey(), newKey(), newKey(), newKey()];
  const known = { eu: [first, second], us: [ofUs] };
  let us = await start('us', { own: ofUs, ...known });
  let eu = await start('eu', { own: first, ...known });
  await write(eu, 'first');
  await write(us, 'of-us');
  await converged([eu, us], 'products', 40_000);
  const before = await us.metrics();

  eu = await start('eu', { own: second, ...known });
  await write(eu, 'second');
  await until('us reads on', 40_000, has(us, 'second'));
  expect(await us.metrics()).not.toMatch(/^isthmus_refused_log_records_total\{.*\} [1-9]/m);
  const transfers = (text: string) => text.match(/^isthmus_(?:gaps|transfers)_total.*$/gm) ?? [];
  expect(transfers(await us.metrics())).toEqual(transfers(before));

  eu = await start('eu', { own: third, ...known, eu: [...known.eu, third] });
  await write(eu, 'third');
  await until('us believes nothing of it', 40_000, async () =>
    /^isthmus_refused_log_records_total\{origin="eu",cause="unknown-key"\} [1-9]/m.test(await us.metrics()),
  );
  expect((await us.get('products', 'third')).status).toBe(404);
  await write(us, 'meanwhile');
  await until('eu reads on', 40_000, has(eu, 'meanwhile'));

  us = await start('us', { own: ofUs, eu: [second, third], us: [ofUs] });
  await until('us has what it passed over', 60_000, has(us, 'third'));
  await write(eu, 'after');
  await until('us reads on', 40_000, has(us, 'after'));
  await converged([eu, us], 'products', 40_000);
  await until('no gap is open', 40_000, async () => (await us.status()).gaps === 0);
}, 240_000);
