/**
 * Decides what happens next in a history: who edits, and what the network does with the messages under way. It looks
 * at the world to choose operations that can mean something, and keeps the network of its own: which delta is on its
 * way to whom. Messages overtake each other, arrive twice, are lost and sent again, and are joined on the way.
 */
import type { Action, Source } from './action.ts';
import { textAt } from './comparison.ts';
import type { Names, Operation } from './operation.ts';
import type { Random } from './random.ts';
import { randomOperations } from './random-operation.ts';
import type { World } from './world.ts';

interface UnderWay {
  readonly to: number;
  readonly source: Source;
  /** Who wrote it, for deltas. */
  readonly from: number;
}

const mostUnderWay = 60;
const firstMs = 1_700_000_000_000;
const farAheadMs = 600_000;

export class Planner {
  readonly #random: Random;
  readonly #world: World;
  #underWay: UnderWay[] = [];
  #lost: UnderWay[] = [];
  /** Deltas since the last collection. */
  #sent: UnderWay[] = [];
  readonly #highestDelivered = new Map<string, number>();
  #numbers = 0;
  #letters = 0;
  #nowMs = firstMs;
  /** What comes next in any case; each is decided only when it is its turn. */
  #planned: (() => Action)[] = [];

  readonly #collectsApart: boolean;

  constructor(random: Random, world: World, collectsApart: boolean) {
    this.#random = random;
    this.#world = world;
    this.#collectsApart = collectsApart;
  }

  next(): Action {
    const planned = this.#planned.shift();
    if (planned !== undefined) return planned();
    const chance = this.#random.below(100);
    if (chance < 42) return this.#edit();
    if (chance < 84) return this.#deliver();
    if (chance < 90) return this.#sendState();
    if (chance < 95) return this.#sendAgain();
    if (chance < 96) return this.#rename();
    if (chance < 97) return { does: 'settle', seed: this.#random.word() };
    return this.#random.chance(0.5) ? this.#collect() : this.#deleteAndCollect();
  }

  #someone(): number {
    return this.#random.below(this.#world.replicas.length);
  }

  readonly #edit = (): Extract<Action, { does: 'edit' }> => this.#editAt(this.#someone());

  /** By one that holds nothing, if there is one. */
  readonly #createAgain = (): Action => {
    const empty = [...this.#world.replicas.keys()].filter((at) => this.#world.replica(at).state.length === 0);
    return this.#editAt(this.#random.anyOf(empty) ?? this.#someone());
  };

  #editAt(replica: number): Extract<Action, { does: 'edit' }> {
    const number = ++this.#numbers;
    const operations = this.#operations(replica);
    for (const to of this.#world.replicas.keys()) {
      if (to !== replica) this.#post({ to, from: replica, source: { of: 'delta', number } });
    }
    const asksHorizon = this.#random.chance(0.5);
    return { does: 'edit', replica, number, now: this.#time(), operations, asksHorizon };
  }

  /** Mostly the true time; sometimes that of a clock that is behind, or far ahead. */
  #time(): number {
    this.#nowMs += this.#random.below(3);
    if (this.#random.chance(0.1)) return this.#nowMs - this.#random.below(farAheadMs);
    const isAhead = this.#random.chance(0.02);
    this.#world.coverage.note('clock far ahead', isAhead);
    return isAhead ? this.#nowMs + farAheadMs : this.#nowMs;
  }

  #operations(index: number): readonly Operation[] {
    const replica = this.#world.replica(index);
    const { value } = this.#world.read(replica);
    return randomOperations(this.#random, {
      fields: this.#world.schema.fields,
      actors: this.#world.replicas.map((each) => each.actor),
      textAt: (path: Names) => textAt(value, path),
      character: () => String.fromCodePoint((++this.#letters % 5 === 0 ? 0x20000 : 0x4e00) + this.#letters),
    });
  }

  #post(message: UnderWay): void {
    if (message.source.of === 'delta') this.#sent = [...this.#sent, message].slice(-mostUnderWay);
    if (this.#random.chance(0.15)) {
      this.#world.coverage.note('message lost');
      this.#lost = [...this.#lost, message].slice(-mostUnderWay);
    } else this.#underWay = [...this.#underWay, message].slice(-mostUnderWay);
  }

  /** Takes any message out of the network, perhaps leaves a copy, perhaps joins others for the same replica to it. */
  readonly #deliver = (): Action => {
    const first = this.#random.anyOf(this.#underWay);
    if (first === undefined) return this.#edit();
    const others = this.#underWay.filter((each) => each !== first && each.to === first.to);
    const joined = this.#random.chance(0.2)
      ? this.#random.shuffled(others).slice(0, 1 + this.#random.below(3))
      : [];
    const taken = [first, ...joined];
    if (!this.#random.chance(0.1)) this.#underWay = this.#underWay.filter((each) => !taken.includes(each));
    for (const message of taken) this.#noteDelivery(message);
    const kinds = new Set(taken.map((each) => each.source.of));
    this.#world.coverage.note('delta joined with a state', kinds.size > 1);
    return { does: 'merge', replica: first.to, sources: taken.map((each) => each.source) };
  };

  #noteDelivery({ to, from, source }: UnderWay): void {
    if (source.of !== 'delta' || !this.#world.has(source)) return;
    const link = `${from} ${to}`;
    const highest = this.#highestDelivered.get(link) ?? 0;
    this.#world.coverage.note('delta out of order', source.number < highest);
    this.#world.coverage.note('delta repeated', source.number === highest);
    this.#highestDelivered.set(link, Math.max(highest, source.number));
  }

  #sendState(): Action {
    const replica = this.#someone();
    const number = ++this.#numbers;
    this.#post({ to: this.#someone(), from: replica, source: { of: 'state', number } });
    this.#world.coverage.note('state sent');
    return { does: 'send state', replica, number };
  }

  /** A message that was lost, or any delta once more. */
  #sendAgain(): Action {
    const lost = this.#lost.pop();
    const message = lost ?? this.#random.anyOf(this.#sent);
    if (message === undefined) return this.#edit();
    this.#world.coverage.note('delta sent again after a loss', lost?.source.of === 'delta');
    this.#noteDelivery(message);
    return { does: 'merge', replica: message.to, sources: [message.source] };
  }

  #rename(): Action {
    const replica = this.#someone();
    const { actor, names } = this.#world.replica(replica);
    const [region = actor] = actor.split('.');
    return { does: 'rename', replica, actor: `${region}.${++this.#numbers}${names.length}` };
  }

  /** A record that everybody has seen deleted, sometimes by who had not seen all of it. */
  #deleteAndCollect(): Action {
    const late = this.#random.chance(0.4) ? [this.#edit, this.#delete] : [];
    const then = this.#collectsApart && this.#random.chance(0.7) ? this.#dropApart() : [this.#collect];
    this.#planned = [this.#delete, ...late, ...then];
    return this.#random.chance(0.7) ? { does: 'settle', seed: this.#random.word() } : this.#edit();
  }

  readonly #delete = (): Action => ({ ...this.#edit(), operations: [{ op: 'delete' }] });

  readonly #purge = (): Action => ({ ...this.#edit(), operations: [{ op: 'delete' }], asksHorizon: true });

  /** Purges between two barriers, then some drop it; in every phase somebody may write. */
  #dropApart(): readonly (() => Action)[] {
    const perhaps = (chance: number, action: () => Action) => (this.#random.chance(chance) ? [action] : []);
    const between = () => [
      ...perhaps(0.3, this.#edit),
      ...perhaps(0.3, this.#deliver),
      ...perhaps(0.2, this.#edit),
    ];
    return [
      this.#barrier,
      ...between(),
      ...perhaps(0.8, this.#purge),
      ...between(),
      ...perhaps(0.4, this.#purge),
      this.#barrier,
      ...between(),
      this.#drop,
      ...perhaps(0.7, this.#createAgain),
      ...between(),
      ...perhaps(0.5, this.#drop),
      ...perhaps(0.3, this.#createAgain),
      ...between(),
      ...perhaps(0.5, this.#barrier),
      ...perhaps(0.5, this.#drop),
    ];
  }

  readonly #drop = (): Action => ({ does: 'drop', seed: this.#random.word() });

  readonly #barrier = (): Action => {
    this.#forgetMessages();
    return { does: 'barrier', seed: this.#random.word() };
  };

  readonly #collect = (): Action => {
    this.#forgetMessages();
    const by = this.#collectsApart && this.#random.chance(0.5) ? 'some' : 'all';
    return { does: 'collect', by, seed: this.#random.word() };
  };

  /** What is still under way after a barrier comes from below it; the fence keeps it out. */
  #forgetMessages(): void {
    this.#underWay = [];
    this.#lost = [];
    this.#sent = [];
  }
}
