/**
 * Callers who carry a session from region to region (P5): each reads and writes a few shared records, now here and now
 * there, as it would over HTTP: it waits until the region includes what it has seen, is refused where that takes too long,
 * and goes on with the token of the last answer. What it is shown goes to the checker of sessions. A caller who gets no
 * answer keeps the token that it had.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import type { Edit } from '@isthmus/replication/journal/journal';
import { checkSessions, type SessionAnswer, type SessionEvent } from '../checkers/sessions.ts';
import type { History, HistoryEvent, Result, Violation } from '../checkers/history.ts';
import { Random } from './random.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';
import { collection, things } from './workload.ts';

const callers = 2;
const records = 2;
const waitMs = 1500;
const patienceMs = 5000;

type Answer =
  | { readonly kind: 'answered'; readonly token: string; readonly event: SessionAnswer | null }
  | { readonly kind: 'lost'; readonly token: string }
  /** Refused, failed or silent. */
  | { readonly kind: 'none' };

export class SessionWorkload {
  readonly #world: World;
  readonly #random: Random;
  readonly #events: SessionEvent[] = [];
  readonly #added: Added[] = [];
  #written = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = new Random(world.scenario.seed).split('sessions');
  }

  /** Writes that were acknowledged. */
  get acknowledged(): number {
    return this.#events.filter(({ kind }) => kind === 'wrote').length;
  }

  /** What was added, for whoever looks what became of it. */
  get history(): History {
    return this.#added.map(({ event, result }) => ({ ...event, result }));
  }

  get violations(): readonly Violation[] {
    return checkSessions(this.#events);
  }

  start(): void {
    for (let index = 0; index < callers; index++)
      this.#later({ name: `caller-${index}`, token: null, issuer: null, region: index });
  }

  #later(caller: Caller): void {
    const { scheduler, scenario } = this.#world;
    if (scheduler.nowMs > scenario.durationMs) return;
    scheduler.after(this.#random.between(300, 1500), () => void this.#turn(caller));
  }

  async #turn(caller: Caller): Promise<void> {
    const { regions } = this.#world;
    if (this.#random.chance(0.5)) caller.region = this.#random.int(regions.length);
    const node = this.#world.openNode(caller.region);
    const isWrite = this.#random.chance(0.5);
    const key = `session-${this.#random.int(records)}/x`;
    if (node !== null) {
      const asking = isWrite ? this.#write(node, caller, key) : this.#read(node, caller, key);
      this.#hear(node, caller, await this.#patient(asking));
    }
    this.#later(caller);
  }

  #hear(node: SimNode, caller: Caller, answer: Answer): void {
    if (answer.kind === 'none') return;
    const { scheduler, seen } = this.#world;
    const at = { session: caller.name, region: node.region.id, atMs: scheduler.nowMs };
    if (answer.kind === 'lost') {
      seen('session lost');
      this.#events.push({ ...at, kind: 'lost' });
    } else if (answer.event !== null) {
      if (caller.issuer !== null && caller.issuer !== node.region.id) seen('session served elsewhere');
      this.#events.push({ ...at, ...answer.event });
    }
    caller.token = answer.token;
    caller.issuer = node.region.id;
  }

  /** Whoever stops waiting does not know, and hears nothing that comes later. */
  #patient(asking: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve) => {
      const silence = this.#world.scheduler.after(patienceMs, () => resolve({ kind: 'none' }));
      const hear = (answer: Answer): void => {
        silence.fire = null;
        resolve(answer);
      };
      asking.then(
        (answer) => hear(answer),
        (reason: unknown) => {
          if (!(reason instanceof ReplicationError)) throw reason;
          hear({ kind: 'none' });
        },
      );
    });
  }

  async #read(node: SimNode, { token }: Caller, key: string): Promise<Answer> {
    const { sessions, records: store } = node;
    const session = token === null ? null : sessions.parse(token);
    const refused = session === null ? null : await this.#reach(node, session);
    if (refused !== null) return refused;
    const id = { collection, key };
    const state = await store.read(id);
    const next = await sessions.afterRead(session, [id]);
    return { kind: 'answered', token: next, event: { kind: 'shown', key, elements: elementsOf(state) } };
  }

  async #write(node: SimNode, { name, token }: Caller, key: string): Promise<Answer> {
    const isRefused = node.waitsFor.length > 0 || node.wishes?.draining.isDrained === true;
    if (isRefused || node.judgeWrite().kind !== 'accept') return { kind: 'none' };
    const { sessions, journal } = node;
    const session = token === null ? null : sessions.parse(token);
    const refused = session === null ? null : await this.#reach(node, session);
    if (refused !== null) return refused;
    const element = `${name}-${this.#written++}`;
    const id = { collection, key };
    let after: Uint8Array | null = null;
    const edit: Edit<null, string> = {
      id,
      edit: (before, context) => {
        const { state, delta } = things.edit(before, context, (record) => record.add('tags', [element]));
        after = state;
        return { kind: 'write', state, delta, result: null };
      },
    };
    const added = this.#adds({ process: name, region: node.region.id, key, element });
    const outcome = await journal.write([edit]).catch((reason: unknown) => {
      if (reason instanceof ReplicationError && reason.code !== 'outcome-unknown') added.result = 'fail';
      throw reason;
    });
    if (outcome.kind !== 'done' || outcome.commit === null) return { kind: 'none' };
    added.result = 'ok';
    const next = sessions.afterWrite(session, [id], outcome.commit);
    const event = { kind: 'wrote', key, element, elements: elementsOf(after) } as const;
    return { kind: 'answered', token: next, event };
  }

  /** Nobody knows what becomes of it before it is answered. */
  #adds({ process, region, key, element }: Adding): Added {
    const { nowMs } = this.#world.scheduler;
    const times = { invokedAtMs: nowMs, completedAtMs: nowMs };
    const operation = { kind: 'add', key, element } as const;
    const added: Added = { event: { process, region, operation, ...times, status: null }, result: 'info' };
    this.#added.push(added);
    return added;
  }

  /** `null`: the region includes what the session has seen. */
  async #reach(node: SimNode, session: ReturnType<SimNode['sessions']['parse']>): Promise<Answer | null> {
    const judgement = await node.sessions.reach(session, waitMs);
    if (judgement.kind === 'reached') return null;
    if (judgement.kind === 'lost') return { kind: 'lost', token: node.sessions.tokenOf(null) };
    this.#world.seen('session not reached');
    return { kind: 'none' };
  }
}

interface Adding {
  readonly process: string;
  readonly region: string;
  readonly key: string;
  readonly element: string;
}

interface Added {
  readonly event: Omit<HistoryEvent, 'result'>;
  result: Result;
}

interface Caller {
  readonly name: string;
  token: string | null;
  /** Region of the last answer. */
  issuer: string | null;
  region: number;
}

function elementsOf(state: Uint8Array | null): readonly string[] {
  return state === null ? [] : (things.read(state).value?.tags ?? []).map(String);
}
