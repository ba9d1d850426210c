/**
 * Reads four times a second what was asked of the region and hands it to every part that acts on it, so that none of them
 * asks the database for itself (0060). Each part has turns at its own rate, on a grid of its own, also where readings are
 * slow. The turns of one part never overlap, and no part waits for another's: a turn that outlasts its slots makes them
 * fall out, as in `Ticker`. A turn only ever gets a reading that began after the one before it had ended, so it does not
 * take what it has done itself for something to do. A reading that fails is no turn for anybody.
 */
import type { Agenda, AgendaStore } from './ports/agenda-store.ts';
import type { Logger } from './ports/logger.ts';
import type { Timer } from './ports/timer.ts';
import { nextDueMs } from './ticker.ts';
import { Turns } from './turns.ts';

export const agendaIntervalMs = 250;
/** Readings begin a little late, one more than the other, so a slot may come a little early. */
const earlyMs = agendaIntervalMs / 2;

export interface AgendaWatchOptions {
  readonly store: AgendaStore;
  readonly timer: Timer;
  readonly logger: Logger;
}

export interface AgendaTurnsOptions {
  /** Not below `agendaIntervalMs`. */
  readonly intervalMs: number;
  /** What it throws is a bug, as with a `Ticker`. */
  readonly run: (agenda: Agenda) => Promise<void>;
}

export class AgendaWatch {
  readonly #store: AgendaStore;
  readonly #timer: Timer;
  readonly #turns: Turns;
  readonly #started = new Set<AgendaTurns>();
  #last: Agenda | null = null;

  constructor({ store, timer, logger }: AgendaWatchOptions) {
    this.#store = store;
    this.#timer = timer;
    const ifNot = 'what was asked of this region is read again';
    const turn = () => this.#read();
    this.#turns = new Turns({ timer, logger, intervalMs: agendaIntervalMs, ifNot, turn });
  }

  /** As last read; `null`: it was not. */
  get last(): Agenda | null {
    return this.#last;
  }

  /** For one part, which starts and stops them. */
  turns(options: AgendaTurnsOptions): AgendaTurns {
    return new AgendaTurns(this.#started, options);
  }

  start(): void {
    this.#turns.start();
  }

  stop(): Promise<void> {
    return this.#turns.stop();
  }

  /** Those that have a slot now; parts that were started first come first. Reads nothing where nobody has one. */
  async #read(): Promise<void> {
    const nowMs = this.#timer.monotonicMs();
    const due = [...this.#started].filter((turns) => turns.takeSlot(nowMs));
    if (due.length === 0) return;
    const agenda = await this.#store.read();
    this.#last = agenda;
    for (const turns of due) turns.begin(agenda);
  }
}

/** The turns of one part. */
export class AgendaTurns {
  readonly #started: Set<AgendaTurns>;
  readonly #options: AgendaTurnsOptions;
  /** `null`: with the next reading. */
  #dueMs: number | null = null;
  #running: Promise<void> | null = null;

  constructor(started: Set<AgendaTurns>, options: AgendaTurnsOptions) {
    this.#started = started;
    this.#options = options;
  }

  /** The next reading that begins gives the first turn. */
  start(): void {
    this.#dueMs = null;
    this.#started.add(this);
  }

  /** No turn begins afterwards; resolves when the one in flight has ended. */
  stop(): Promise<void> {
    this.#started.delete(this);
    return this.#running ?? Promise.resolve();
  }

  /** A reading begins: whether a turn comes of it. */
  takeSlot(nowMs: number): boolean {
    const dueMs = this.#dueMs ?? nowMs;
    if (nowMs < dueMs - earlyMs) return false;
    this.#dueMs = nextDueMs(dueMs, nowMs, this.#options.intervalMs);
    return this.#running === null;
  }

  begin(agenda: Agenda): void {
    if (!this.#started.has(this)) return;
    this.#running = this.#options.run(agenda).finally(() => {
      this.#running = null;
    });
  }
}
