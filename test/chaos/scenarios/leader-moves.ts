/**
 * Row 17: the log of a region lies on three nodes, two of which must hold what is acknowledged. The one that leads all
 * partitions is killed, and so is the one that is the active controller; where the seed is odd, that one leads as well.
 * Others lead and decide, nothing that was acknowledged is lost, and who was killed comes back. The first node is not
 * killed, because it is the one whose address everybody is given.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Server } from '@isthmus/local/server';
import { assert } from '@isthmus/replication/errors';
import { z } from 'zod';
import { until } from '../../until.ts';
import { firstNode, startFurtherBrokers } from '../further-brokers.ts';
import { known } from '../gauges.ts';
import { Replicas } from '../kafka-replicas.ts';
import { withAdmin } from '../kafka-tools.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const deadlineMs = 90_000;
const nearSeconds = 2;
const further = [2, 3] as const;
const nodeIds = [firstNode, ...further] as const;

export const leaderMoves: Scenario = {
  ...pair,
  name: 'leader-moves',
  row: 17,
  about: 'Of three nodes that hold the log the one that leads is killed, and the one that is the controller',
  run: async (stage) => {
    const cluster = new LogCluster(stage);
    await stage.during({ fault: 'the log gets two more nodes', strikes: [] }, async (overlap) => {
      await cluster.grow();
      await overlap(0);
    });
    const kills = [() => killLeader(cluster), () => killController(cluster)];
    const isFirst = stage.parts.seed % 4 < 2;
    const proofs: string[] = [];
    for (const kill of isFirst ? kills : kills.toReversed()) proofs.push(await kill());
    return proofs.join('; ');
  },
};

/** The controller stays, so that partitions are given to others at once. */
async function killLeader(cluster: LogCluster): Promise<string> {
  const { stage } = cluster;
  const { leaderId } = await cluster.controller();
  const victim = further.find((nodeId) => nodeId !== leaderId) ?? further[0];
  await cluster.leadBy(victim);
  let leaders: readonly number[] = [];
  await stage.during({ fault: 'the node that leads is killed', strikes: [] }, async (overlap) => {
    await cluster.kill(victim);
    leaders = await cluster.ledByOthersThan(victim);
    await cluster.hasAll();
    await overlap(0);
    await cluster.restart(victim);
  });
  return `node ${victim} led all partitions, and was killed: ${[...new Set(leaders)].join()} led after it`;
}

async function killController(cluster: LogCluster): Promise<string> {
  const { stage } = cluster;
  const before = await cluster.controller();
  const victim = before.leaderId;
  const isLeader = stage.parts.seed % 2 === 1;
  const other = further.find((nodeId) => nodeId !== victim) ?? firstNode;
  await cluster.leadBy(isLeader ? victim : other);
  let after = before;
  await stage.during({ fault: 'the controller is killed', strikes: [] }, async (overlap) => {
    await cluster.kill(victim);
    after = await until('another is the controller', deadlineMs, async () => {
      const now = await cluster.controller();
      return now.leaderId > 0 && now.leaderId !== victim && now.leaderEpoch > before.leaderEpoch ? now : null;
    });
    await cluster.ledByOthersThan(victim);
    await cluster.hasAll();
    await overlap(0);
    await cluster.restart(victim);
  });
  const also = isLeader ? ' that led all partitions' : '';
  return `node ${victim}, the controller of epoch ${before.leaderEpoch}${also}, was killed: ${after.leaderId} is it in epoch ${after.leaderEpoch}`;
}

const quorumState = z.object({ leaderId: z.number(), leaderEpoch: z.number() });
type Controller = z.infer<typeof quorumState>;

/** The Kafka of eu. */
class LogCluster {
  readonly stage: Stage;
  readonly #nodes = new Map<number, Server>();

  constructor(stage: Stage) {
    this.stage = stage;
  }

  /** All topics lie on all three; the first one is not the controller any more, so that it can be killed. */
  async grow(): Promise<void> {
    const { kafka } = this.#eu.site;
    assert(kafka !== null, 'the log lies in Kafka');
    const nodeOf = (nodeId: number) => ({ nodeId, keepIn: this.#folderOf(nodeId) });
    const [second, third] = await startFurtherBrokers({
      first: kafka,
      beside: this.#folderOf(firstNode),
      nodes: [nodeOf(further[0]), nodeOf(further[1])],
      progress: () => undefined,
    });
    this.stage.parts.onEnd(() => Promise.all([second.stop(), third.stop()]));
    this.#nodes.set(firstNode, kafka).set(further[0], second).set(further[1], third);
    await this.#replicas((replicas) => replicas.spread([...nodeIds], { isLedByFirst: false, minInSync: 2 }));
    for (let turn = 0; (await this.controller()).leaderId === firstNode; turn++) {
      assert(turn < 5, 'the first node stops being the controller when it is started anew');
      await kafka.restart();
      await this.#replicas((replicas) => replicas.areInSync(nodeIds.length));
    }
  }

  /** As the nodes have it on their disks: the one of the newest epoch. */
  async controller(): Promise<Controller> {
    const states = await Promise.all(
      nodeIds.map(async (nodeId) => {
        const path = join(this.#folderOf(nodeId), 'data', '__cluster_metadata-0', 'quorum-state');
        return quorumState.parse(JSON.parse(await readFile(path, 'utf8')));
      }),
    );
    const [newest] = states.toSorted((one, other) => other.leaderEpoch - one.leaderEpoch);
    assert(newest !== undefined, 'there are nodes');
    return newest;
  }

  async leadBy(nodeId: number): Promise<void> {
    const order = [nodeId, ...nodeIds.filter((each) => each !== nodeId)];
    await this.#replicas((replicas) => replicas.spread(order, { isLedByFirst: true, minInSync: 2 }));
  }

  async kill(nodeId: number): Promise<void> {
    await this.#node(nodeId).kill('SIGKILL');
  }

  /** Comes back, and holds again what is acknowledged. */
  async restart(nodeId: number): Promise<void> {
    await this.#node(nodeId).restart();
    await this.#replicas((replicas) => replicas.areInSync(nodeIds.length));
  }

  async ledByOthersThan(nodeId: number): Promise<readonly number[]> {
    return this.#replicas((replicas) => replicas.ledByOthersThan(nodeId));
  }

  /** The log has what was written, and the peer too. */
  async hasAll(): Promise<void> {
    const { oracle } = this.stage.parts;
    const series = [
      ['eu', 'rpo_seconds{peer="log"}'],
      ['us', 'replication_lag_seconds{origin="eu",target="us"}'],
    ] as const;
    for (const [region, name] of series)
      await until(`${name} of ${region} is small`, deadlineMs, () => {
        return (known(oracle.gauges(region), name) ?? Infinity) < nearSeconds;
      });
  }

  get #eu() {
    return this.stage.region('eu');
  }

  #node(nodeId: number): Server {
    const node = this.#nodes.get(nodeId);
    assert(node !== undefined, `there is a node ${nodeId}`);
    return node;
  }

  #folderOf(nodeId: number): string {
    return join(this.stage.parts.folder, 'eu', nodeId === firstNode ? 'kafka' : `kafka-${nodeId}`);
  }

  #replicas<T>(work: (replicas: Replicas) => Promise<T>): Promise<T> {
    return withAdmin(this.#eu, (admin) => work(new Replicas(admin, this.#eu)));
  }
}
