/**
 * Row 17: the log of a region lies on two brokers, and the one that leads is killed: the other leads, nothing that was
 * acknowledged is lost, and the killed one comes back. Only the first broker decides who leads, so it is not killed.
 */
import { join } from 'node:path';
import { startFurtherBroker } from '@isthmus/local/further-broker';
import type { Admin } from 'kafkajs';
import { until } from '../../until.ts';
import { known } from '../gauges.ts';
import { changesOf, withAdmin } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const furtherNode = 2;
const firstNode = 1;
const deadlineMs = 60_000;
const kills = 2;

export const leaderMoves: Scenario = {
  ...pair,
  name: 'leader-moves',
  row: 17,
  about: `One of two brokers is killed ${kills} times while it leads, and its partitions get another leader`,
  run: async (stage) => {
    const { folder, onEnd } = stage.parts;
    const beside = join(folder, 'eu', 'kafka');
    const keepIn = join(folder, 'eu', 'kafka-2');
    const parts = { beside, keepIn, nodeId: furtherNode, progress: () => undefined };
    const broker = await startFurtherBroker(parts);
    onEnd(() => broker.stop());
    await withAdmin(stage.region('eu'), (admin) => spread(admin, stage));
    for (let kill = 1; kill <= kills; kill++) {
      await stage.during({ fault: 'the broker that leads is killed', strikes: [] }, async (overlap) => {
        await broker.kill('SIGKILL');
        await withAdmin(stage.region('eu'), (admin) => led(admin, { stage, by: firstNode, count: 1 }));
        await until('the log has all', deadlineMs, () => {
          return (known(stage.parts.oracle.gauges('eu'), 'rpo_seconds{peer="log"}') ?? Infinity) < 2;
        });
        await overlap(0);
        await broker.restart();
        await withAdmin(stage.region('eu'), (admin) => spread(admin, stage));
      });
    }
    return `all partitions were led by the broker that was killed, and ${kills} times by the other one after it`;
  },
};

/** Both hold all partitions, and the further one leads, because for a moment it alone holds them. */
async function spread(admin: Admin, stage: Stage): Promise<void> {
  await assign(admin, stage, [furtherNode]);
  await led(admin, { stage, by: furtherNode, count: 1 });
  await assign(admin, stage, [furtherNode, firstNode]);
  await led(admin, { stage, by: furtherNode, count: 2 });
}

async function assign(admin: Admin, stage: Stage, replicas: number[]): Promise<void> {
  const topic = changesOf(stage.region('eu'));
  const [metadata] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics;
  const partitionAssignment = (metadata?.partitions ?? []).map(({ partitionId }) => ({
    partition: partitionId,
    replicas,
  }));
  await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }], timeout: deadlineMs });
}

interface Led {
  readonly stage: Stage;
  readonly by: number;
  /** So many hold all that was acknowledged. */
  readonly count: number;
}

async function led(admin: Admin, { stage, by, count }: Led): Promise<void> {
  const topic = changesOf(stage.region('eu'));
  await until(`${count} brokers hold every partition, led by ${by}`, deadlineMs, async () => {
    const [metadata] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics;
    const partitions = metadata?.partitions ?? [];
    const isSo = partitions.every(({ isr, leader }) => isr.length === count && leader === by);
    if (isSo && partitions.length > 0) return true;
    throw new Error(partitions.map(({ isr, leader }) => `${leader} of ${isr.join()}`).join('; '));
  });
}
