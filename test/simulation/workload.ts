/**
 * Clients of the regions: each does one operation after the other through the journal of a process of its region, and
 * what it was told goes into the history. A client that gets no answer waits for a while and then goes on, not knowing.
 */
import {
  ConflictError,
  boundedCounter,
  counter,
  highestStamp,
  register,
  schema,
  set,
} from '@isthmus/conflict';
import { ReplicationError } from '@isthmus/replication/errors';
import type { Edit, EditContext, Edited } from '@isthmus/replication/journal/journal';
import type { RecordId } from '@isthmus/replication/ports/change';
import { type Incarnation, sameIncarnation } from '@isthmus/replication/ports/identity';
import type { JudgedEvent } from '../checkers/availability.ts';
import type { Operation } from '../checkers/history.ts';
import type { PlannedOperation, Scenario } from './scenario.ts';
import { judgeAccepted } from './judge-guard.ts';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

export const collection = 'things';

export const things = schema({
  count: counter(),
  title: register(),
  tags: set(),
  stock: boundedCounter(),
});

/** Which records are used for what, by the first word of their keys. */
const recordOf: Readonly<Record<PlannedOperation['kind'], string>> = {
  increment: 'counter',
  set: 'register',
  insert: 'insert',
  add: 'set',
  remove: 'set',
  refill: 'stock',
  spend: 'stock',
  put: 'mortal',
  delete: 'mortal',
};

const patienceMs = 5000;

export class Workload {
  readonly #events: {
    readonly attempt: Attempt;
    readonly event: Omit<JudgedEvent, 'operation' | 'aside'>;
  }[] = [];
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #lastOf = new Map<string, Promise<void>>();
  #written = 0;

  constructor(world: World, scenario: Scenario) {
    this.#world = world;
    this.#scenario = scenario;
  }

  /** An operation that was given up may still run, and only then sees what it removes. */
  get history(): readonly JudgedEvent[] {
    return this.#events.map(({ attempt, event }) => {
      const { operation } = attempt;
      return { ...event, operation, aside: new Set([...attempt.aside, ...this.#unlearnt(attempt)]) };
    });
  }

  /**
   * What a region had written in earlier lives, where it wrote on before it had learnt those again, because its peers were
   * silent (0046): it comes later, and may have a later stamp where the clock was set back.
   */
  #unlearnt({ relearningLife: life, region }: Attempt): readonly string[] {
    if (life === null) return [];
    const isOfLife = (other: Incarnation | null): boolean => other !== null && sameIncarnation(other, life);
    return this.#events
      .filter(({ attempt }) => attempt.region === region && !isOfLife(attempt.life))
      .map(({ attempt }) => attempt.unique);
  }

  /** Operations that were acknowledged. */
  get acknowledged(): number {
    return this.#events.reduce((sum, { event }) => sum + (event.result === 'ok' ? 1 : 0), 0);
  }

  start(): void {
    this.#plan(0);
  }

  /** One after the other, in order of time. */
  #plan(index: number): void {
    const planned = this.#scenario.operations[index];
    if (planned === undefined) return;
    const { scheduler } = this.#world;
    scheduler.after(Math.max(0, planned.atMs - scheduler.nowMs), () => {
      this.#plan(index + 1);
      this.#queue(planned);
    });
  }

  #queue(planned: PlannedOperation): void {
    const client = `${planned.region}-${planned.client}`;
    const last = this.#lastOf.get(client) ?? Promise.resolve();
    this.#lastOf.set(
      client,
      last.then(() => this.#run(planned, client)),
    );
  }

  async #run(planned: PlannedOperation, client: string): Promise<void> {
    const node = this.#world.openNode(planned.region);
    if (node === null) return;
    const { region } = node;
    const attempt = new Attempt(planned, `${client}-${this.#written++}`, region);
    const invokedAtMs = this.#world.scheduler.nowMs;
    const disturbances = this.#world.disturbancesOf(region.id);
    const wasSoundBefore = this.#world.isSound(region.id);
    const answer = await this.#answer(node, attempt);
    const event = {
      process: client,
      region: region.id,
      invokedAtMs,
      completedAtMs: this.#world.scheduler.nowMs,
      result: answer === 'refused' ? ('fail' as const) : answer,
      status: null,
      wasRefused: answer === 'refused',
      // The engine closes one that wrote on alone and turns out to be behind what is collected; who was under way is refused.
      wasSound:
        wasSoundBefore &&
        this.#world.disturbancesOf(region.id) === disturbances &&
        !region.incarnations.isClosedToWrites,
    };
    this.#events.push({ attempt, event });
    if (attempt.isUnordered) {
      const detail = `${region.id} stamped a write below what it saw`;
      this.#world.violations.push({ checker: 'stamps', key: attempt.operation.key, detail });
    }
  }

  /** Whoever stops waiting does not know; what is answered later is not heard. */
  #answer(node: SimNode, attempt: Attempt): Promise<'ok' | 'fail' | 'info' | 'refused'> {
    const { scheduler } = this.#world;
    if (node.waitsFor.length > 0) {
      this.#world.seen('write refused while joining');
      return Promise.resolve('refused');
    }
    if (node.wishes?.draining.isDrained === true) {
      this.#world.seen('write refused while drained');
      return Promise.resolve('refused');
    }
    if (node.judgeWrite().kind !== 'accept') {
      this.#world.seen('guard refused');
      return Promise.resolve('refused');
    }
    void judgeAccepted(this.#world, node);
    void this.#world.joining?.accepted(node);
    return new Promise((resolve) => {
      const silence = scheduler.after(patienceMs, () => resolve('info'));
      const hear = (answer: 'ok' | 'fail' | 'info' | 'refused'): void => {
        silence.fire = null;
        resolve(answer);
      };
      node.journal.write([attempt.edit]).then(
        (outcome) => hear(outcome.kind === 'done' ? 'ok' : 'refused'),
        (reason: unknown) => {
          if (!(reason instanceof ReplicationError)) throw reason;
          if (reason.code === 'outcome-unknown') this.#world.seen('unknown outcome');
          hear(reason.code === 'outcome-unknown' ? 'info' : 'fail');
        },
      );
    });
  }
}

/** One operation on its way; what it saw is known only once its edit has run. */
class Attempt {
  readonly edit: Edit<null, string>;
  readonly unique: string;
  readonly region: SimRegion;
  readonly #planned: PlannedOperation;
  readonly #key: string;
  aside: ReadonlySet<string> = new Set();
  /** That of its region in which its edit ran. */
  life: Incarnation | null = null;
  /** The same, where the region had still to learn what it had written before that; else `null`. */
  relearningLife: Incarnation | null = null;
  /** A stamp is always above every stamp that the writer has seen in the record (P3). */
  isUnordered = false;
  #saw: string | null = null;

  constructor(planned: PlannedOperation, unique: string, region: SimRegion) {
    this.#planned = planned;
    this.region = region;
    this.unique = unique;
    const kind = recordOf[planned.kind];
    this.#key = kind === 'insert' ? `insert/${unique}` : `${kind}-${planned.record}/x`;
    const id: RecordId = { collection, key: this.#key };
    this.edit = { id, edit: (before, context) => this.#run(before, context) };
  }

  get operation(): Operation {
    const { kind, amount } = this.#planned;
    const key = this.#key;
    switch (kind) {
      case 'increment':
      case 'refill':
      case 'spend':
        return { kind, key, amount };
      case 'set':
      case 'put':
        return { kind, key, value: this.unique };
      case 'insert':
        return { kind, key };
      case 'add':
        return { kind, key, element: this.unique };
      case 'remove':
        return { kind, key, element: this.#saw };
      case 'delete':
        return { kind, key, saw: this.#saw };
    }
  }

  #run(before: Uint8Array, context: EditContext): Edited<null, string> {
    this.aside = asideIn(this.region, this.edit.id);
    this.life = this.region.identity.incarnation;
    this.relearningLife = this.region.incarnations.isRelearning ? this.life : null;
    try {
      const { state, delta, changed } = things.edit(before, context, (record) => {
        const { kind, amount } = this.#planned;
        switch (kind) {
          case 'increment':
            return record.increment('count', amount);
          case 'refill':
            return record.refill('stock', amount);
          case 'spend':
            return record.spend('stock', amount);
          case 'set':
          case 'insert':
          case 'put':
            return record.set('title', this.unique);
          case 'add':
            return record.add('tags', [this.unique]);
          case 'remove':
            this.#saw = firstTag(before);
            return this.#saw === null ? undefined : record.remove('tags', [this.#saw]);
          case 'delete':
            this.#saw = titleOf(before);
            return record.delete();
        }
      });
      this.isUnordered = changed && (highestStamp(delta) ?? Infinity) < (highestStamp(before) ?? 0);
      return changed ? { kind: 'write', state, delta, result: null } : { kind: 'keep', result: null };
    } catch (reason) {
      if (!(reason instanceof ConflictError) || reason.code !== 'insufficient-rights') throw reason;
      return { kind: 'refuse', refusal: reason.code };
    }
  }
}

/** Values of the record that lie among the dead letters of the region. */
function asideIn({ records }: SimRegion, id: RecordId): ReadonlySet<string> {
  const letters = records.deadLetters.all().filter(({ key }) => key === id.key);
  return new Set(letters.flatMap(({ delta }) => titleOf(delta) ?? []));
}

function firstTag(state: Uint8Array): string | null {
  const tag = things.read(state).value?.tags[0];
  return typeof tag === 'string' ? tag : null;
}

function titleOf(state: Uint8Array): string | null {
  const title = things.read(state).value?.title;
  return typeof title === 'string' ? title : null;
}
