/**
 * Judges the first write that a region takes which came later than the others (P6): it must hold whatever a peer had
 * written before that answered when the region came. Only where nothing was wrong around that moment is it sure which
 * peers answered; elsewhere the other judges see to what came of it.
 */
import { settledOf } from './verdict-loss.ts';
import type { Life } from './past-lives.ts';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

/** Longer than a beat takes to be counted. */
const countedMs = 2000;

interface Awaited {
  readonly peer: SimRegion;
  readonly life: Life;
}

export class JoiningJudge {
  readonly #world: World;
  readonly #region: SimRegion;
  readonly #cameAtMs: number;
  readonly #awaited: readonly Awaited[];
  #hasWritten = false;

  /** The region comes now. */
  constructor(world: World, region: SimRegion) {
    this.#world = world;
    this.#region = region;
    this.#cameAtMs = world.scheduler.nowMs;
    const answering = region.peers.filter((peer) => world.isServed(peer));
    this.#awaited = answering.map((peer) => {
      const of = world.regionOf(peer);
      return { peer: of, life: of.identity };
    });
  }

  /** A write is about to be taken. */
  async accepted({ region }: SimNode): Promise<void> {
    if (region !== this.#region || this.#hasWritten) return;
    this.#hasWritten = true;
    this.#world.seen('first write of a region that came late');
    for (const awaited of this.#awaited) await this.#judge(awaited);
  }

  async #judge({ peer, life }: Awaited): Promise<void> {
    if (peer.isGone || peer.isSetBack) return;
    const rows = await this.#region.records.positions(peer.id);
    const dueMs = this.#cameAtMs - countedMs;
    for (let partition = 0; partition < peer.partitionCount; partition++) {
      const settled = settledOf(rows, life, partition);
      const lacking = this.#world.oracle
        .beyond(life, partition, settled)
        .filter(({ atMs }) => atMs <= dueMs).length;
      if (lacking === 0) continue;
      const detail = `takes its first write and lacks ${lacking} changes of ${peer.id}/${partition}`;
      this.#world.violations.push({ checker: 'joining', key: this.#region.id, detail });
    }
  }
}
