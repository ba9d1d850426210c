/**
 * Two regions on servers of their own, of which the second starts later and empty, so that a transfer fills it from the
 * first: by then the first one's log no longer holds its beginning. What one reads from the other passes the link's
 * proxy, as always.
 */
import kafkajs from 'kafkajs';
import { startServers } from '@isthmus/local/cluster';
import { prepareRegionProcess, type RegionProcess } from '@isthmus/local/region-process';
import { LoadError } from './errors.ts';

export interface JoiningPair {
  readonly donor: RegionProcess;
  /** Addresses of the two databases. */
  readonly databases: { readonly origin: string; readonly target: string };
  /** Starts the empty region. */
  readonly join: () => Promise<RegionProcess>;
  readonly stop: () => Promise<void>;
}

const regions = ['eu', 'us'] as const;
type Name = (typeof regions)[number];

export async function startJoiningPair(): Promise<JoiningPair> {
  const servers = await startServers({ regions, kafkaTuning: 'long-load' });
  const started: RegionProcess[] = [];
  const start = async (region: Name): Promise<RegionProcess> => {
    const peer = region === 'eu' ? 'us' : 'eu';
    const own = servers.regions.find((each) => each.region === region);
    const [incoming, outgoing] = [servers.links.find(peer, region), servers.links.find(region, peer)];
    if (own === undefined || incoming === undefined || outgoing === undefined)
      throw new LoadError('child-failed', `${region} has no servers or links`);
    const { host, port } = incoming.log;
    const prepared = await prepareRegionProcess({
      region,
      database: own.postgres.url,
      settings: { ISTHMUS_KAFKA_BROKERS: own.brokers },
      peers: [{ region: peer, brokers: `${host}:${port}`, admin: outgoing.admin }],
    });
    incoming.leadAdminTo(prepared.adminAddress);
    const process = await prepared.start();
    started.push(process);
    return process;
  };
  const [origin, target] = servers.regions.map(({ postgres }) => postgres.url);
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((process) => process.stop()));
    await servers.stop();
  };
  try {
    const donor = await start('eu');
    return {
      donor,
      databases: { origin: origin ?? '', target: target ?? '' },
      join: async () => {
        await forget(servers.regions.find(({ region }) => region === 'eu')?.brokers ?? '');
        return start('us');
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Drops what the donor's log of changes holds, as retention does. */
async function forget(brokers: string): Promise<void> {
  const topic = 'isthmus.eu.changes';
  const admin = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    const partitions = offsets.map(({ partition, high }) => ({ partition, offset: high }));
    await admin.deleteTopicRecords({ topic, partitions });
  } finally {
    await admin.disconnect();
  }
}
