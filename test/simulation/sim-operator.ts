/**
 * The operators of a simulated world: each goes on asking until what was asked is carried out, at whichever process of the
 * region answers. When a region is drained and its progress says that its peers have everything, they must have it.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import { contradicted } from '@isthmus/replication/identity/identity-guard';
import type { PeerProgress } from '@isthmus/replication/ports/beat-store';
import { type RegionId, sameIncarnation } from '@isthmus/replication/ports/identity';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';
import type { SimWishes } from './sim-wishes.ts';
import { partitionsOf, settledOf } from './verdict-loss.ts';
import type { World } from './world.ts';

type Command = (wishes: SimWishes, node: SimNode) => Promise<void>;

const lookMs = 500;
/** How long a command is waited for before it is given to another process. */
const patienceMs = 3000;

export class Operator {
  readonly #world: World;
  /** Commands that are still to be given, by region. */
  readonly #open = new Map<RegionId, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Something is to be asked of the region that no process of it has taken yet. */
  isAsking(region: RegionId): boolean {
    return (this.#open.get(region) ?? 0) > 0;
  }

  /** Takes the region's writes away until the returned function is called, which gives them back. */
  drain(region: SimRegion): () => void {
    let isOver = false;
    const underWay = new Set<SimNode>();
    const drained = async ({ draining }: SimWishes, node: SimNode): Promise<void> => {
      underWay.add(node);
      await draining.drain().finally(() => underWay.delete(node));
    };
    void this.#insist(region, drained, () => isOver || region.drains.isCut);
    const look = async (): Promise<void> => {
      if (isOver || region.isGone || (await this.#judgeDrained(region))) return;
      this.#world.scheduler.after(lookMs, () => void look());
    };
    void look();
    return () => {
      isOver = true;
      // A command that was given before may still be carried out, and then this one has to come after it.
      const isUnderWay = (): boolean => [...underWay].some(({ process }) => process.life !== 'dead');
      void this.#giveBack(region, () => region.row.row.drained === null && !isUnderWay());
    };
  }

  /** A server may carry out later what a dead process had asked of it, and then the writes are given back again. */
  async #giveBack(region: SimRegion, isJoined: () => boolean): Promise<void> {
    await this.#insist(region, ({ draining }) => draining.join(), isJoined);
    if (region.isGone) return;
    this.#world.scheduler.after(patienceMs, () => void this.#giveBack(region, isJoined));
  }

  /** Has it emptied and filled from this peer, if nothing is lost by that. */
  refill(region: SimRegion, donor: RegionId): void {
    let isWanted = false;
    const want = async ({ refills }: SimWishes): Promise<void> => {
      isWanted = (await refills.want({ donor, accepted: [] })) || isWanted;
    };
    void this.#insist(region, want, () => isWanted).then(() => this.#watchFilling(region));
  }

  /** Whoever gives is gone before it is done: asked again of another one. */
  async #watchFilling(region: SimRegion): Promise<void> {
    const { scheduler, survivors } = this.#world;
    const refill = await region.refills.find();
    const isOver = refill === null || refill.state === 'done' || refill.state === 'refused';
    if (isOver || region.isGone) return;
    const other = survivors.find(({ id }) => id !== region.id);
    const isDonorGone = !survivors.some(({ id }) => id === refill.donor);
    if (!isDonorGone || other === undefined || region.refills.donor === null)
      return void scheduler.after(patienceMs, () => void this.#watchFilling(region));
    this.#world.seen('filled from another after its donor was gone');
    this.refill(region, other.id);
  }

  /** Looks at a region that refuses writes for good. */
  overrule(region: SimRegion): void {
    const { held } = region.row.row;
    const keepers = this.#world.nodesOf(region.id).flatMap((node) => node?.keeper ?? []);
    // A region that says that it takes a new incarnation is left to that.
    if (region.isGone || held === null || keepers.some(({ state }) => state.kind === 'renewing')) return;
    // What is known not to be its own past is not accepted: it has to become another.
    const isOther = held.includes(contradicted);
    const asked = isOther ? keepers.map((keeper) => keeper.renew()) : [region.open().accept()];
    const again = (): void => void this.#world.scheduler.after(patienceMs, () => this.overrule(region));
    if (isOther && keepers.length === 0) again();
    Promise.all(asked).catch((reason: unknown) => {
      if (!(reason instanceof ReplicationError)) throw reason;
      again();
    });
  }

  /** Once everything is said to be at its peers. */
  async #judgeDrained(region: SimRegion): Promise<boolean> {
    const { oracle, survivors, violations } = this.#world;
    const beat = region.row.row.drained?.beat ?? null;
    const peers = survivors.filter((peer) => peer !== region);
    const told = (await region.beats.overview()).progress;
    // What a peer told before it was set back is not what it has, and nobody can know that it was.
    const isOf = ({ identity, isWhole }: SimRegion, by: PeerProgress): boolean =>
      isWhole && by.peer === identity.region && sameIncarnation(by.peerIncarnation, identity.incarnation);
    const hasAll = (peer: SimRegion): boolean =>
      beat !== null && told.some((by) => isOf(peer, by) && (by.settledBeat ?? 0) >= beat);
    if (!peers.every(hasAll)) return false;
    this.#world.seen('drained region is all at its peers');
    for (const peer of peers) {
      const rows = await peer.records.positions(region.id);
      const lacking = partitionsOf(region).flatMap((partition) =>
        oracle.beyond(region.identity, partition, settledOf(rows, region.identity, partition)),
      );
      if (lacking.length === 0) continue;
      const detail = `${peer.id} lacks ${lacking.length} changes of it, and is said to have all`;
      violations.push({ checker: 'drain', key: region.id, detail });
    }
    return true;
  }

  async #insist(region: SimRegion, command: Command, isDone: () => boolean): Promise<void> {
    const count = (by: number): void => void this.#open.set(region.id, (this.#open.get(region.id) ?? 0) + by);
    count(1);
    while (!isDone() && !region.isGone) {
      const again = new Promise<void>((resolve) => void this.#world.scheduler.after(patienceMs, resolve));
      void this.#command(region, command);
      await again;
    }
    count(-1);
  }

  async #command(region: SimRegion, command: Command): Promise<void> {
    const node = this.#world.nodesOf(region.id).find((candidate) => candidate?.isOpen ?? false) ?? null;
    if (node === null || node.wishes === null) return;
    try {
      await command(node.wishes, node);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
    }
  }
}
