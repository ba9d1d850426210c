/**
 * Judges the first write that a region takes which came later than the others (P6): it must hold whatever a peer had
 * written before that answered when the region came, in whichever life of the peer, and whether a log holds it or the peer
 * alone. What peers held is taken by content, because an earlier life is not told by positions. Only where nothing was wrong
 * around that moment is it sure which peers answered; elsewhere the other judges see to what came of it. Even there a peer
 * that has become another incarnation is opened anew, and who asks it in that second is not answered and asks again.
 */
import { merge } from '@isthmus/conflict';
import { sameLife } from '@isthmus/replication/ports/identity';
import type { StoredRecord } from '@isthmus/replication/ports/record-store';
import { settledOf } from './verdict-loss.ts';
import type { Life } from './past-lives.ts';
import type { SimNode } from './sim-node.ts';
import type { Asking } from './sim-peer-client.ts';
import type { SimRegion } from './sim-region.ts';
import { things } from './workload.ts';
import type { World } from './world.ts';

/** Longer than a beat takes to be counted. */
const countedMs = 2000;
/** For as long whoever does not answer is asked again at least (0029). */
const patienceMs = 4500;

interface Awaited {
  readonly peer: SimRegion;
  readonly life: Life;
  readonly held: readonly StoredRecord[];
  /** How often its database had been set back by then. */
  readonly losses: number;
}

export class JoiningJudge {
  readonly #world: World;
  readonly #region: SimRegion;
  readonly #cameAtMs: number;
  #awaited: readonly Awaited[];
  /** By process and peer: since when it asks and is not answered; `null`: it was answered. */
  readonly #asked = new Map<string, number | null>();
  #hasWritten = false;

  /** The region comes now. */
  constructor(world: World, region: SimRegion) {
    this.#world = world;
    this.#region = region;
    this.#cameAtMs = world.scheduler.nowMs;
    const answering = region.peers.filter(
      (peer) => world.isServed(peer) && !saysNothing(world.regionOf(peer)),
    );
    this.#awaited = answering.map((peer) => {
      const of = world.regionOf(peer);
      const held = [...of.records.tables.records.values()];
      return { peer: of, life: of.identity, held, losses: this.#lossesOf(of) };
    });
  }

  /** Whoever is silent for long is not waited for (0029). */
  asked({ process, from, to, isAnswered }: Asking): void {
    if (from !== this.#region.id) return;
    const name = `${process.name} ${to}`;
    const { nowMs } = this.#world.scheduler;
    const sinceMs = this.#asked.has(name) ? this.#asked.get(name) : nowMs;
    this.#asked.set(name, isAnswered ? null : (sinceMs ?? null));
    if (isAnswered || typeof sinceMs !== 'number') return;
    this.#world.seen('peer silent when a region came');
    if (nowMs - sinceMs < patienceMs) return;
    this.#awaited = this.#awaited.filter(({ peer }) => peer.id !== to);
  }

  /** A write is about to be taken. */
  async accepted({ region }: SimNode): Promise<void> {
    if (region !== this.#region || this.#hasWritten) return;
    this.#hasWritten = true;
    this.#world.seen('first write of a region that came late');
    if (this.#awaited.some(({ life }) => life.incarnation.counter > 1))
      this.#world.seen('first write after a peer had become another incarnation');
    for (const awaited of this.#awaited) {
      await this.#judge(awaited);
      await this.#judgeHeld(awaited);
    }
  }

  async #judge({ peer, life }: Awaited): Promise<void> {
    if (peer.isGone || !sameLife(peer.identity, life)) return;
    const rows = await this.#region.records.positions(peer.id);
    for (let partition = 0; partition < peer.partitionCount; partition++) {
      const settled = settledOf(rows, life, partition);
      const lacking = this.#world.oracle
        .beyond(life, partition, settled)
        .filter(({ atMs }) => atMs <= this.#dueMs).length;
      if (lacking > 0) this.#fail(`lacks ${lacking} changes of ${peer.id}/${partition}`);
    }
  }

  /** Records that somebody wrote to while they may not have been counted say nothing. */
  async #judgeHeld({ peer, held, losses }: Awaited): Promise<void> {
    if (this.#lossesOf(peer) > losses || this.#awaited.length < this.#region.peers.length) return;
    const young = this.#young();
    let lacking = 0;
    for (const record of held) {
      if (young.has(`${record.collection}/${record.key}`)) continue;
      const own = (await this.#region.records.read(record)) ?? new Uint8Array(0);
      if (shown(merge(own, record.state).state) !== shown(own)) lacking++;
    }
    if (lacking > 0) this.#fail(`lacks what ${peer.id} held of ${lacking} records`);
  }

  #lossesOf(peer: SimRegion): number {
    return this.#world.losses.all.filter(({ region }) => region === peer).length;
  }

  #young(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const region of this.#world.regions)
      for (const life of region.lives.all)
        for (let partition = 0; partition < region.partitionCount; partition++)
          for (const { name, atMs } of this.#world.oracle.beyond(life, partition, 0n))
            if (atMs > this.#dueMs) names.add(name);
    return names;
  }

  get #dueMs(): number {
    return this.#cameAtMs - countedMs;
  }

  #fail(detail: string): void {
    const { violations } = this.#world;
    violations.push({
      checker: 'joining',
      key: this.#region.id,
      detail: `takes its first write and ${detail}`,
    });
  }
}

/** Set back to before its first counted beat and refused since, it cannot tell that it ever wrote (0029). */
function saysNothing({ isItself, beats, identity }: SimRegion): boolean {
  return !isItself && identity.incarnation.counter === 1 && (beats.newestCounted?.count ?? 0) === 0;
}

function shown(state: Uint8Array): string {
  return state.length === 0 ? '' : JSON.stringify(things.read(state).value ?? null);
}
