/**
 * One process of a region: its timers, its calls to servers, its life. A killed process hears nothing any more and
 * leaves its requests behind, of which the servers carry out some; what its machine had not sent is gone. A stopped one hears everything when it
 * goes on, while the servers have long ended its sessions. What a server does and what the process learns of it are
 * two moments, with a gap between them in which anything can happen.
 */
import type { ReplicationError } from '@isthmus/replication/errors';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { Scheduler } from './scheduler.ts';
import type { Arrival, SimServer } from './sim-server.ts';
import type { Trace } from './trace.ts';

/** What kind of request it is: how long half of its round trip takes, and what a process has to do with it. */
export interface RequestKind {
  readonly leastMs: number;
  readonly mostMs: number;
  /** What is asked at one moment travels together, as on one connection. */
  readonly isPipelined: boolean;
  /** Code of the process runs inside the server's transaction, so nothing happens while the process stands. */
  readonly needsProcess: boolean;
  /** Nothing happened. */
  readonly refused: () => ReplicationError;
  /** It may or may not have happened. */
  readonly lost: () => ReplicationError;
}

export interface Request<T> {
  readonly server: SimServer;
  readonly kind: RequestKind;
  readonly name: string;
  readonly work: () => Promise<T>;
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
const slowAnswerRate = 0.1;
/** How often a request is lost whose process dies before it is carried out. */
const unsentRate = 0.5;

/** Requests that arrive at a server together. */
interface Flight {
  readonly server: SimServer;
  readonly sentAtMs: number;
  readonly calls: { arrive(): void }[];
}

export class SimProcess {
  readonly name: string;
  readonly timer: Timer;
  readonly #world: ProcessWorld;
  #life: Life = 'running';
  #stops = 0;
  #stoppedAtMs: number | null = null;
  /** It has stood for so long that servers have ended its sessions. */
  #isSilent = false;
  #deferred: (() => void)[] = [];
  readonly #sessions = new Set<() => void>();
  readonly #onDeath: (() => void)[] = [];
  #flight: Flight | null = null;

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

  /** Since when it stands, also where it was stopped several times since; `null`: it does not. */
  get stoppedAtMs(): number | null {
    return this.#life === 'stopped' ? this.#stoppedAtMs : null;
  }

  /** Runs in the process: now, when it goes on, or never. */
  hear(news: () => void): void {
    if (this.#life === 'running') news();
    else if (this.#life === 'stopped') this.#deferred.push(news);
  }

  call<T>(request: Request<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#send(request, new Call(this, this.#world, { request, resolve, reject }));
    });
  }

  #send({ server, kind }: Request<unknown>, call: Flight['calls'][number]): void {
    const { scheduler } = this.#world;
    if (!kind.isPipelined) {
      scheduler.after(server.delayMs(kind.leastMs, kind.mostMs), () => call.arrive());
      return;
    }
    const last = this.#flight;
    if (last !== null && last.server === server && last.sentAtMs === scheduler.nowMs) {
      last.calls.push(call);
      return;
    }
    const flight = { server, sentAtMs: scheduler.nowMs, calls: [call] };
    this.#flight = flight;
    scheduler.after(server.delayMs(kind.leastMs, kind.mostMs), () => {
      for (const arrived of flight.calls) arrived.arrive();
    });
  }

  /** Calls `end` when the servers end the sessions of this process; the returned function takes that back. */
  session(end: () => void): () => void {
    if (this.#life === 'dead' || this.#isSilent) {
      const ending = this.#world.scheduler.after(1, end);
      return () => {
        ending.fire = null;
      };
    }
    this.#sessions.add(end);
    return () => this.#sessions.delete(end);
  }

  /** Calls `end` once servers have noticed that the process is dead. One that stands keeps what is called here. */
  onDeath(end: () => void): void {
    if (this.#life === 'dead') this.#world.scheduler.after(1, end);
    else this.#onDeath.push(end);
  }

  kill(): void {
    if (this.#life === 'dead') return;
    this.#life = 'dead';
    this.#deferred = [];
    this.#world.trace.note(this.name, 'killed');
    this.#world.scheduler.after(1, () => {
      this.#endSessions();
      for (const end of this.#onDeath.splice(0)) end();
    });
  }

  stop(): void {
    this.#stops++;
    if (this.#life !== 'running') return;
    this.#life = 'stopped';
    this.#stoppedAtMs = this.#world.scheduler.nowMs;
    const stops = this.#stops;
    this.#world.trace.note(this.name, 'stopped');
    this.#world.scheduler.after(sessionTimeoutMs, () => {
      if (this.#life !== 'stopped' || this.#stops !== stops) return;
      this.#isSilent = true;
      this.#endSessions();
    });
  }

  goOn(): void {
    if (this.#life !== 'stopped') return;
    this.#life = 'running';
    this.#stoppedAtMs = null;
    this.#isSilent = false;
    this.#world.trace.note(this.name, 'goes on');
    for (const news of this.#deferred.splice(0)) this.#world.scheduler.after(0, () => this.hear(news));
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

interface Caller<T> {
  readonly request: Request<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** One request from its sending to its answer. */
class Call<T> implements Arrival {
  readonly #process: SimProcess;
  readonly #world: ProcessWorld;
  readonly #caller: Caller<T>;
  #epoch: number;
  #isAnswered = false;

  constructor(process: SimProcess, world: ProcessWorld, caller: Caller<T>) {
    this.#process = process;
    this.#world = world;
    this.#caller = caller;
    this.#epoch = caller.request.server.epoch;
  }

  arrive(): void {
    const { server, kind } = this.#caller.request;
    if (server.epoch !== this.#epoch) return this.#fail(kind.refused);
    if (server.isFrozen) this.#world.scheduler.after(answerTimeoutMs, () => this.#fail(kind.lost));
    if (!server.serve(this)) this.#fail(kind.refused);
  }

  drop(): void {
    this.#fail(this.#caller.request.kind.lost);
  }

  perform(): void {
    const { server, kind, name, work } = this.#caller.request;
    if (kind.needsProcess && this.#process.life !== 'running') return this.#performLater();
    this.#world.failpoint(this.#process, name, 'before');
    if (kind.needsProcess && this.#process.life !== 'running') return;
    if (this.#process.life === 'dead' && server.chance(unsentRate)) return;
    this.#epoch = server.epoch;
    work().then(
      (value) => this.#reply(() => this.#caller.resolve(value)),
      (reason: unknown) => this.#reply(() => this.#caller.reject(reason)),
    );
  }

  /** A transaction that waits for its process is undone once the server has ended the session. */
  #performLater(): void {
    let isOver = false;
    const forget = this.#process.session(() => {
      isOver = true;
      this.#fail(this.#caller.request.kind.refused);
    });
    this.#process.hear(() => {
      forget();
      if (!isOver) this.perform();
    });
  }

  #reply(news: () => void): void {
    const { server, kind, name } = this.#caller.request;
    this.#world.failpoint(this.#process, name, 'after');
    if (server.losesAnswer()) return this.#fail(kind.lost);
    // Of a reading nothing is lost with its answer, so it makes no difference when that comes.
    if (kind.isPipelined || !server.chance(slowAnswerRate)) return this.#answer(news);
    this.#world.scheduler.after(server.delayMs(kind.leastMs, kind.mostMs), () => {
      if (server.epoch === this.#epoch) this.#answer(news);
      else this.#fail(kind.lost);
    });
  }

  #fail(why: () => ReplicationError): void {
    if (!this.#isAnswered) this.#answer(() => this.#caller.reject(why()));
  }

  #answer(news: () => void): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#process.hear(news);
  }
}
