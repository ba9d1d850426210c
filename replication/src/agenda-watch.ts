/**
 * Reads four times a second what was asked of the region and hands it to every part that acts on it, so that none of them
 * asks the database for itself (0060). Each part has turns at its own rate, a multiple of the reading's. The turns of one
 * part never overlap, and no part waits for another's: a turn that outlasts its slots makes them fall out, as in
 * `Ticker`. A turn only ever gets a reading that began after the one before it had ended, so it never acts on what it has
 * changed itself. A reading that fails is no turn for anybody, and the next one comes at its time.
 */
import { assert } from './errors.ts';
import type { Agenda, AgendaStore } from './ports/agenda-store.ts';
import type { Logger } from './ports/logger.ts';
import type { Timer } from './ports/timer.ts';
import { Turns } from './turns.ts';

export const agendaIntervalMs = 250;

export interface AgendaWatchOptions {
  readonly store: AgendaStore;
  readonly timer: Timer;
  readonly logger: Logger;
}

export interface AgendaTurnsOptions {
  /** A multiple of `agendaIntervalMs`. */
  readonly intervalMs: number;
  /** What it throws is a bug, as with a `Ticker`. */
  readonly run: (agenda: Agenda) => Promise<void>;
}

export class AgendaWatch {
  readonly #store: AgendaStore;
  readonly #turns: Turns;
  readonly #started = new Set<AgendaTurns>();
  #last: Agenda | null = null;

  constructor({ store, timer, logger }: AgendaWatchOptions) {
    this.#store = store;
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
    const due = [...this.#started].filter((turns) => turns.takeSlot());
    if (due.length === 0) return;
    const agenda = await this.#store.read();
    this.#last = agenda;
    for (const turns of due) turns.begin(agenda);
  }
}

/** The turns of one part. */
export class AgendaTurns {
  readonly #started: Set<AgendaTurns>;
  readonly #run: AgendaTurnsOptions['run'];
  /** One slot in so many readings. */
  readonly #every: number;
  #readings = 0;
  #running: Promise<void> | null = null;

  constructor(started: Set<AgendaTurns>, { intervalMs, run }: AgendaTurnsOptions) {
    this.#started = started;
    this.#run = run;
    this.#every = intervalMs / agendaIntervalMs;
    assert(Number.isInteger(this.#every) && this.#every > 0, `no turns of ${intervalMs} ms come of readings`);
  }

  /** The next reading that begins gives the first turn. */
  start(): void {
    this.#readings = 0;
    this.#started.add(this);
  }

  /** No turn begins afterwards; resolves when the one in flight has ended. */
  stop(): Promise<void> {
    this.#started.delete(this);
    return this.#running ?? Promise.resolve();
  }

  /** A reading begins: whether a turn comes of it. */
  takeSlot(): boolean {
    const isSlot = this.#readings % this.#every === 0;
    this.#readings++;
    return isSlot && this.#running === null;
  }

  begin(agenda: Agenda): void {
    if (!this.#started.has(this)) return;
    this.#running = this.#run(agenda).finally(() => {
      this.#running = null;
    });
  }
}
