/**
 * A model of regions that write, delete, deliver late and collect, one step at a time by a seeded source. What decides is
 * the shipped code: the barrier machine, the answers, who is judged droppable, the purge. What moves is modelled: logs
 * that deliver in order, words that come late, transactions that hold a record while a generation is closed. Beside each
 * record stands one of which nothing was ever dropped: whatever a region shows, that one must show too, so a drop that
 * anybody could notice is found where it is noticed (I6). A flaw leaves one rule out, to see that it is needed.
 */
import { contextOf, counter, liveHash, merge, register, schema, set } from '@isthmus/conflict';
import { Random } from '../simulation/random.ts';
import { actorOf, parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import type { BarrierWord } from '@isthmus/replication/log/barrier-word';
import type { Standing } from '@isthmus/replication/ports/transfer-store';
import type { Vector } from '@isthmus/replication/ports/vector';
import { upperBound } from '@isthmus/replication/reach';
import { BarrierAnswers, isSettled } from '@isthmus/replication/tombstones/barrier-answers';
import {
  askOf,
  type BarrierState,
  effectOf,
  stepBarrier,
} from '@isthmus/replication/tombstones/barrier-machine';
import { isHiding, judge, Purge } from '@isthmus/replication/tombstones/collecting';

export type Flaw =
  | 'one barrier instead of two'
  | 'nobody is asked'
  | 'nothing has to be settled'
  | 'floors stay'
  | 'what hides is dropped';

const fields = { title: register(), likes: counter(), tags: set() };
const types = [schema(fields), schema(fields, { deletes: 'last-writer-wins' })] as const;
const nothing: Uint8Array = new Uint8Array(0);
const incarnation = { counter: 1, nonce: 1 };
const keys = ['a0', 'b1', 'c1', 'd1', 'e1'] as const;
const purge = new Purge(null);

interface Row {
  readonly state: Uint8Array;
  readonly generation: number;
}

interface Delivery {
  readonly lsn: bigint;
  readonly key: string;
  readonly delta: Uint8Array;
}

interface OpenTransaction {
  readonly number: number;
  readonly key: string;
  readonly generation: number;
}

class Region {
  readonly id: RegionId;
  readonly self;
  readonly actor;
  readonly rows = new Map<string, Row>();
  readonly shadow = new Map<string, Uint8Array>();
  readonly answers: BarrierAnswers;
  readonly touched = new Set<string>();
  readonly log: Delivery[] = [];
  readonly applied = new Map<RegionId, number>();
  readonly skewMs: number;
  barrier: BarrierState = { kind: 'resting', completed: 0 };
  running: OpenTransaction | null = null;
  generation = 1;
  floor = 0;
  floorMs = 0;
  rounds = 0;
  transactions = 1;
  dropped = 0;

  constructor(name: string, skewMs: number, world: Model) {
    this.id = parseRegionId(name) ?? world.fail(`${name} is no region`);
    this.self = { region: this.id, incarnation, partitionCount: 1 };
    this.actor = actorOf(this.id, incarnation);
    this.skewMs = skewMs;
    this.answers = new BarrierAnswers(this.self, {
      standing: { standing: () => Promise.resolve(world.standing(this)) },
      // No region of the model becomes another incarnation.
      store: { noteAnswered: () => Promise.resolve() },
    });
  }

  get lsn(): bigint {
    return BigInt(this.log.length);
  }

  state(key: string): Uint8Array {
    return this.rows.get(key)?.state ?? nothing;
  }

  store(key: string, delta: Uint8Array, row: Row): void {
    this.touched.add(key);
    this.rows.set(key, row);
    this.shadow.set(key, merge(this.shadow.get(key) ?? nothing, delta).state);
  }
}

export class Model {
  readonly #random: Random;
  readonly #flaw: Flaw | null;
  readonly #regions: readonly Region[];
  /** Words under way, oldest first, by sender and receiver. */
  readonly #words = new Map<string, BarrierWord[]>();
  /** How often transactions begin and end, changes arrive, words go and come, barriers move. */
  readonly #weights: readonly number[];
  #isQuiet = false;
  #hot: string = keys[0];
  #nowMs = 10_000;

  constructor(seed: number, flaw: Flaw | null = null) {
    this.#random = new Random(seed);
    this.#flaw = flaw;
    const names = ['eu', 'us', 'ap'].slice(0, 2 + this.#random.int(2));
    const most = [2, 5, 5, 6, 10, 10];
    this.#weights = most.map((weight) => 1 + this.#random.int(weight));
    this.#regions = names.map((name) => new Region(name, this.#random.int(30_000), this));
  }

  get dropped(): number {
    return this.#regions.reduce((sum, { dropped }) => sum + dropped, 0);
  }

  /** Throws where a drop was noticed. */
  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      const region = this.#any();
      await this.#step(region);
      this.#check(region);
    }
    for (const region of this.#regions) this.#commit(region);
    for (let round = 0; round < steps; round++) for (const region of this.#regions) this.#deliver(region);
    for (const region of this.#regions) this.#check(region);
    for (const key of keys) {
      const shown = this.#regions.map((region) => hashOf(region.state(key)));
      if (new Set(shown).size > 1) this.fail(`${key} differs between regions`);
    }
  }

  standing(region: Region): Standing {
    const settled: Vector = [...region.applied].map(([origin, lsn]) => ({
      region: origin,
      incarnation,
      partition: 0,
      lsn: BigInt(lsn),
    }));
    const known = {
      ahead: [],
      whole: [],
      horizon: [],
      floorMs: 0,
      beat: null,
      beats: [],
      slot: null,
      isEmpty: false,
      refill: 'none' as const,
      readAtMs: this.#nowMs,
    };
    return { ...known, settled, applied: settled, insertLsn: region.lsn };
  }

  fail(detail: string): never {
    throw new TypeError(detail);
  }

  async #step(region: Region): Promise<void> {
    this.#nowMs += this.#random.int(20);
    if (this.#random.chance(0.01)) this.#change();
    let left = this.#random.int(this.#weights.reduce((sum, weight) => sum + weight, 0));
    const chosen = this.#weights.findIndex((weight) => (left -= weight) < 0);
    if (chosen === 0) this.#begin(region);
    else if (chosen === 1) this.#commit(region);
    else if (chosen === 2) this.#deliver(region);
    else if (chosen === 3) await this.#tell(region);
    else if (chosen === 4) this.#hear(region);
    else this.#turn(region);
  }

  /** What was deleted ripens while nobody writes; afterwards most write to one record. */
  #change(): void {
    this.#isQuiet = !this.#isQuiet;
    this.#hot = this.#random.pick(keys);
  }

  /** Locks a record and reads the generation; what it writes is decided under the lock. */
  #begin(region: Region): void {
    if (region.running !== null || this.#isQuiet) return;
    const key = this.#random.chance(0.7) ? this.#hot : this.#random.pick(keys);
    region.running = { number: region.transactions++, key, generation: region.generation };
  }

  #commit(region: Region): void {
    const { running } = region;
    if (running === null) return;
    region.running = null;
    const { key, generation } = running;
    const { floor, floorMs, actor } = region;
    const now = this.#nowMs + region.skewMs;
    const what = this.#random.int(6);
    const edited = typeOf(key).edit(region.state(key), { actor, floor, floorMs, now }, (editor) => {
      if (what < 3) editor.delete();
      else if (what === 3) editor.set('title', `t${now}`);
      else if (what === 4) editor.increment('likes', 1);
      else editor.add('tags', ['x']);
    });
    if (edited.changed) this.#write(region, { key, state: edited.state, delta: edited.delta, generation });
  }

  #write(
    region: Region,
    { key, state, delta, generation }: Row & { readonly key: string; readonly delta: Uint8Array },
  ): void {
    region.store(key, delta, { state, generation });
    region.log.push({ lsn: region.lsn + 1n, key, delta });
  }

  #deliver(region: Region): void {
    const origin = this.#any();
    const at = region.applied.get(origin.id) ?? 0;
    const next = origin.log[at];
    if (origin === region || next === undefined || next.key === region.running?.key) return;
    const { state } = merge(region.state(next.key), next.delta);
    region.store(next.key, next.delta, { state, generation: region.generation });
    region.applied.set(origin.id, at + 1);
  }

  async #tell(region: Region): Promise<void> {
    const word = { ask: askOf(region.barrier), answers: await region.answers.all() };
    for (const other of this.#regions) {
      if (other === region) continue;
      const way = `${region.id} ${other.id}`;
      this.#words.set(way, [...(this.#words.get(way) ?? []), word].slice(-2));
    }
  }

  #hear(region: Region): void {
    const sender = this.#any();
    const [word, ...rest] = this.#words.get(`${sender.id} ${region.id}`) ?? [];
    if (word === undefined || sender === region) return;
    this.#words.set(`${sender.id} ${region.id}`, rest);
    region.answers.note(sender.id, incarnation, word.ask);
    const told = word.answers.find(({ asker }) => asker === region.id) ?? null;
    const isBelieved = this.#flaw === 'nothing has to be settled';
    const answer = told === null ? null : { ...told, isCovered: told.isCovered || isBelieved };
    region.barrier = stepBarrier(region.barrier, { kind: 'heard', member: sender.id, incarnation, answer });
  }

  #turn(region: Region): void {
    const { barrier } = region;
    if (barrier.kind === 'resting') {
      region.barrier = stepBarrier(barrier, { kind: 'due' });
      return;
    }
    const effect = effectOf(barrier);
    if (effect === null) return;
    switch (effect.kind) {
      case 'close':
        region.generation = Math.max(region.generation, effect.number + 1);
        region.barrier = stepBarrier(barrier, { kind: 'closed', mark: BigInt(region.transactions) });
        return;
      case 'wait-for-end': {
        const isRunning = region.running !== null && BigInt(region.running.number) < effect.mark;
        if (!isRunning) region.barrier = stepBarrier(barrier, { kind: 'ended' });
        return;
      }
      case 'place':
        return this.#place(region);
      case 'look-here':
        if (this.#isSettled(region, effect.vector))
          region.barrier = stepBarrier(barrier, { kind: 'covered-here' });
        return;
      case 'complete':
        region.barrier = stepBarrier(barrier, { kind: 'completed' });
        return this.#collect(region, effect.number - (this.#flaw === 'one barrier instead of two' ? 0 : 1));
    }
  }

  #isSettled(region: Region, vector: Vector): boolean {
    return (
      this.#flaw === 'nothing has to be settled' || isSettled(region.self, this.standing(region), vector)
    );
  }

  #place(region: Region): void {
    const others = this.#regions.filter((other) => other !== region).map(({ id }) => id);
    region.barrier = stepBarrier(region.barrier, {
      kind: 'placed',
      round: ++region.rounds,
      position: upperBound(region.self, this.standing(region)),
      members: this.#flaw === 'nobody is asked' ? [] : others,
    });
  }

  #collect(region: Region, through: number): void {
    for (const [key, { state, generation }] of region.rows) {
      if (generation > through || region.running?.key === key) continue;
      const now = { actor: region.actor, nowMs: this.#nowMs + region.skewMs };
      const verdict = judge({ collection: 'c', key, state }, now);
      if (verdict.kind === 'drop') this.#drop(region, key, verdict);
      else if (isHiding(state)) this.#takeHidden(region, key);
    }
  }

  #drop(region: Region, key: string, { ownCounter, stampMs }: { ownCounter: number; stampMs: number }): void {
    region.rows.delete(key);
    region.dropped++;
    if (this.#flaw === 'floors stay') return;
    region.floor = Math.max(region.floor, ownCounter);
    region.floorMs = Math.max(region.floorMs, stampMs);
  }

  #takeHidden(region: Region, key: string): void {
    if (this.#flaw === 'what hides is dropped')
      return this.#drop(region, key, {
        ownCounter: contextOf(region.state(key)).last(region.actor),
        stampMs: this.#nowMs,
      });
    const { actor, floor, floorMs, generation } = region;
    const now = this.#nowMs + region.skewMs;
    const edited = purge.edit(region.state(key), { actor, floor, floorMs, now });
    if (edited !== null) this.#write(region, { key, state: edited.state, delta: edited.delta, generation });
  }

  /** Only of what has changed since it was looked at. */
  #check(region: Region): void {
    for (const key of region.touched)
      if (hashOf(region.state(key)) !== hashOf(region.shadow.get(key) ?? nothing))
        this.fail(`${region.id} shows another ${key} than one who never dropped anything`);
    region.touched.clear();
  }

  #any(): Region {
    return this.#regions[this.#random.int(this.#regions.length)] ?? this.fail('there are no regions');
  }
}

function typeOf(key: string): (typeof types)[number] {
  return key.endsWith('0') ? types[0] : types[1];
}

function hashOf(state: Uint8Array): string {
  return Buffer.from(liveHash(state)).toString('hex');
}
