/**
 * One process of a region: its timers, its calls to servers, its life. A killed process hears nothing any more and
 * leaves its requests behind at the servers, which may still carry them out. A stopped one hears everything when it
 * goes on, while the servers have long ended its sessions. What a server does and what the process learns of it are
 * two moments, with a gap between them in which anything can happen.
 */
import type { ReplicationError } from '@isthmus/replication/errors';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { Scheduler } from './scheduler.ts';
import type { SimServer } from './sim-server.ts';
import type { Trace } from './trace.ts';

export interface Request<T> {
  readonly server: SimServer;
  readonly name: string;
  /** Half of a round trip. */
  readonly leastMs: number;
  readonly mostMs: number;
  /** Code of the process runs inside the server's transaction, so nothing happens while the process stands. */
  readonly needsProcess: boolean;
  readonly work: () => Promise<T>;
  /** Nothing happened. */
  readonly refused: () => ReplicationError;
  /** It may or may not have happened. */
  readonly lost: () => ReplicationError;
}

/** Tells where a process that is to be killed at a certain step has reached it. */
export type Failpoint = (process: SimProcess, step: string, moment: 'before' | 'after') => void;

export interface ProcessWorld {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly failpoint: Failpoint;
}

type Life = 'running' | 'stopped' | 'dead';

/** How long a client waits for a frozen server. */
const answerTimeoutMs = 10_000;
/** Servers end the session of a client that has fallen silent. */
const sessionTimeoutMs = 3000;
/** How often the answer takes time of its own, in which a connection can be cut. */
const slowAnswerRate = 0.25;

export class SimProcess {
  readonly name: string;
  readonly timer: Timer;
  readonly #world: ProcessWorld;
  #life: Life = 'running';
  #stops = 0;
  #deferred: (() => void)[] = [];
  readonly #sessions = new Set<() => void>();

  constructor(name: string, world: ProcessWorld) {
    this.name = name;
    this.#world = world;
    this.timer = {
      monotonicMs: () => world.scheduler.nowMs,
      after: (delayMs, fire) => this.#after(delayMs, fire),
      turn: (fire) => void world.scheduler.after(0, () => this.hear(fire)),
    };
  }

  get life(): Life {
    return this.#life;
  }

  /** Runs in the process: now, when it goes on, or never. */
  hear(news: () => void): void {
    if (this.#life === 'running') news();
    else if (this.#life === 'stopped') this.#deferred.push(news);
  }

  call<T>(request: Request<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { server, leastMs, mostMs } = request;
      const epoch = server.epoch;
      let isAnswered = false;
      const answer = (news: () => void): void => {
        if (isAnswered) return;
        isAnswered = true;
        this.hear(news);
      };
      const refuse = (): void => answer(() => reject(request.refused()));
      this.#world.scheduler.after(server.delayMs(leastMs, mostMs), () => {
        if (server.epoch !== epoch) return refuse();
        if (server.isFrozen)
          this.#world.scheduler.after(answerTimeoutMs, () => answer(() => reject(request.lost())));
        if (!server.serve(() => this.#perform(request, { answer, resolve, reject }))) refuse();
      });
    });
  }

  /** Calls `end` when the servers end the sessions of this process; the returned function takes that back. */
  session(end: () => void): () => void {
    if (this.#life === 'dead') this.#world.scheduler.after(1, end);
    else this.#sessions.add(end);
    return () => this.#sessions.delete(end);
  }

  kill(): void {
    if (this.#life === 'dead') return;
    this.#life = 'dead';
    this.#deferred = [];
    this.#world.trace.note(this.name, 'killed');
    this.#world.scheduler.after(1, () => this.#endSessions());
  }

  stop(): void {
    this.#stops++;
    if (this.#life !== 'running') return;
    this.#life = 'stopped';
    const stops = this.#stops;
    this.#world.trace.note(this.name, 'stopped');
    this.#world.scheduler.after(sessionTimeoutMs, () => {
      if (this.#life === 'stopped' && this.#stops === stops) this.#endSessions();
    });
  }

  goOn(): void {
    if (this.#life !== 'stopped') return;
    this.#life = 'running';
    this.#world.trace.note(this.name, 'goes on');
    for (const news of this.#deferred.splice(0)) this.#world.scheduler.after(0, () => this.hear(news));
  }

  #perform<T>(
    request: Request<T>,
    to: {
      readonly answer: (news: () => void) => void;
      readonly resolve: (value: T) => void;
      readonly reject: (reason: unknown) => void;
    },
  ): void {
    const { server, name, needsProcess } = request;
    if (needsProcess && this.#life !== 'running') {
      this.hear(() => this.#perform(request, to));
      return;
    }
    this.#world.failpoint(this, name, 'before');
    if (needsProcess && this.#life !== 'running') return;
    const epoch = server.epoch;
    const reply = (news: () => void): void => {
      this.#world.failpoint(this, name, 'after');
      const isLost = server.losesAnswer();
      const arrive = (): void =>
        to.answer(isLost || server.epoch !== epoch ? () => to.reject(request.lost()) : news);
      if (server.chance(slowAnswerRate))
        this.#world.scheduler.after(server.delayMs(request.leastMs, request.mostMs), arrive);
      else arrive();
    };
    request.work().then(
      (value) => reply(() => to.resolve(value)),
      (reason: unknown) => reply(() => to.reject(reason)),
    );
  }

  #after(delayMs: number, fire: () => void): () => void {
    let isCancelled = false;
    const scheduled = this.#world.scheduler.after(delayMs, () =>
      this.hear(() => {
        if (!isCancelled) fire();
      }),
    );
    return () => {
      isCancelled = true;
      scheduled.fire = null;
    };
  }

  #endSessions(): void {
    const ends = [...this.#sessions];
    this.#sessions.clear();
    for (const end of ends) end();
  }
}
