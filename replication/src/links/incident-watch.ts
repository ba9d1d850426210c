/**
 * Writes down incidents as links come and go: the shell around `incident-machine.ts`. Once a second it is given which
 * incidents are open and reads, for a peer whose link or incident wants it, what both sides have written and settled; then
 * it stores what the machine decided before anybody is told. It lets sweeps begin with growing pauses, because they read
 * whole collections, and looks every turn whether one has been clean. It asks beside its turns, one of each peer at a
 * time: no peer is left unwatched while another one is compared. Only the process that replicates does this; a second one that believes the same loses every
 * compare-and-set and does no harm. A database that is away costs a turn, never an incident.
 */
import type { AgendaTurns, AgendaWatch } from '../agenda-watch.ts';
import { ReplicationError } from '../errors.ts';
import type { Agenda } from '../ports/agenda-store.ts';
import type { BeatStore } from '../ports/beat-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';
import type { Incident, IncidentStore, Mark } from '../ports/incident-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { SweepDigests, Sweeps, WantedSweep } from '../ports/sweeps.ts';
import type { Timer } from '../ports/timer.ts';
import { Trouble } from '../trouble.ts';
import { type IncidentStep, type Observation, stepIncident, wantsSweep } from './incident-machine.ts';
import type { WatchedLink } from './link-watch.ts';
import { settledMark } from './position-marks.ts';

const watchIntervalMs = 1000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

export interface IncidentWatchOptions {
  readonly incarnation: Incarnation;
  readonly partitionCount: number;
  /** Of all peers, each time that it is read. */
  readonly links: () => readonly WatchedLink[];
  readonly isActive: () => boolean;
  readonly agenda: Pick<AgendaWatch, 'turns'>;
  readonly incidents: Pick<IncidentStore, 'create' | 'replace' | 'drop'>;
  readonly beats: Pick<BeatStore, 'overview'>;
  readonly sweeps: Sweeps;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly logger: Logger;
}

/** What came of asking for a clean sweep, and when the next may begin. */
interface Asked {
  readonly since: string;
  readonly found: SweepDigests | null;
  readonly pauseMs: number;
  readonly notBeforeMs: number;
}

export class IncidentWatch {
  readonly #options: IncidentWatchOptions;
  readonly #turns: AgendaTurns;
  readonly #end = new AbortController();
  readonly #asked = new Map<RegionId, Asked>();
  /** Beside the turns, one of each peer. */
  readonly #asking = new Map<RegionId, Promise<void>>();
  /** What both sides had written when they were last looked at. */
  readonly #written = new Map<RegionId, Observation['written']>();
  readonly #trouble: Trouble;

  constructor(options: IncidentWatchOptions) {
    this.#options = options;
    this.#trouble = new Trouble({
      logger: options.logger,
      fails: 'incidents cannot be followed; tried again',
      works: 'incidents are followed again',
    });
    this.#turns = options.agenda.turns({ intervalMs: watchIntervalMs, run: (agenda) => this.#turn(agenda) });
  }

  /** `null`: the last turn succeeded. */
  get failure(): ReplicationError | null {
    return this.#trouble.failure;
  }

  start(): void {
    this.#turns.start();
  }

  /** A sweep that was asked for is given up. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#turns.stop();
    await Promise.all(this.#asking.values());
  }

  async #turn({ incidents: open }: Agenda): Promise<void> {
    if (!this.#options.isActive()) return;
    try {
      const links = this.#options.links();
      for (const incident of open)
        if (!links.some(({ peer }) => peer === incident.peer)) await this.#abandon(incident);
      for (const link of links) {
        const incident = open.find(({ peer }) => peer === link.peer) ?? null;
        if (incident !== null || link.state.kind !== 'connected') await this.#follow(link, incident);
      }
      this.#trouble.worked();
    } catch (error) {
      this.#trouble.failed(error);
    }
  }

  async #follow(link: WatchedLink, incident: Incident | null): Promise<void> {
    const seen = await this.#observe(link);
    const sweep = incident === null ? null : this.#sweep(incident, seen);
    await this.#store(incident, stepIncident(incident, { ...seen, sweep }));
  }

  /** Its peer was taken out of the configuration: it ends as it stands, never reconciled. */
  async #abandon(incident: Incident): Promise<void> {
    const { incidents, clock, logger } = this.#options;
    const { number, peer, state } = incident;
    if (!(await incidents.replace({ ...incident, endedAtMs: clock.nowMs() }))) return;
    logger.warn({ number, peer, state }, 'the peer of an incident is no longer configured');
  }

  async #observe({ peer, state, signals, written }: WatchedLink): Promise<Observation> {
    const { beats, clock, timer, incarnation, partitionCount } = this.#options;
    const overview = await beats.overview();
    const figures = overview.rpo.find((each) => each.peer === peer);
    const told = overview.progress.find((each) => each.peer === peer);
    const heard = overview.heard.find(({ origin }) => origin === peer);
    const { newestCounted } = overview.own;
    const positions = overview.positions.filter(({ origin }) => origin === peer);
    const [nowMs, monotonicMs] = [clock.nowMs(), timer.monotonicMs()];
    const heldMs = monotonicMs - state.sinceMs;
    const isYoung = written !== null && monotonicMs - written.askedAtMs <= heldMs;
    const lastWellAtMs = Math.min(
      nowMs - (signals.tickAgeMs ?? 0),
      nowMs - (signals.dataAgeMs ?? 0),
      nowMs - (signals.echoAgeMs ?? 0),
      signals.tickAgeMs === null ? (told?.heardAtMs ?? nowMs) : nowMs,
      signals.dataAgeMs === null ? (heard?.receivedAtMs ?? nowMs) : nowMs,
    );
    const count = figures?.settledCount ?? null;
    return {
      peer,
      nowMs,
      link: state.kind,
      heldMs,
      lastWellAtMs,
      settled: {
        own: markOf(incarnation, told?.settledBeat ?? null, count),
        peer: settledMark(positions, partitionCount),
      },
      written: {
        own: markOf(incarnation, newestCounted?.number ?? null, newestCounted?.count ?? null),
        peer: isYoung ? written.mark : null,
      },
      sweep: null,
    };
  }

  /** What is known of it by now; where that is nothing, it is asked for when it is due. */
  #sweep(incident: Incident, seen: Observation): SweepDigests | null {
    const isStill = this.#isStill(seen);
    const { peer } = incident;
    if (!wantsSweep(incident, seen)) return null;
    const since = settlingOf(incident);
    const last = this.#asked.get(peer);
    const known = last?.since === since ? last : null;
    if (known !== null && known.found !== null) return known.found;
    if (this.#asking.has(peer)) return null;
    const mayCompare = known === null || this.#options.timer.monotonicMs() >= known.notBeforeMs;
    const wanted = { since, isStill, mayCompare, signal: this.#end.signal };
    const asking = this.#ask(peer, wanted, known).finally(() => this.#asking.delete(peer));
    this.#asking.set(peer, asking);
    return null;
  }

  /** An operating failure is no answer, and it is asked again. */
  async #ask(peer: RegionId, wanted: WantedSweep, last: Asked | null): Promise<void> {
    const { sweeps, timer, logger } = this.#options;
    const found = await sweeps.cleanSweepSince(peer, wanted).catch((error: unknown) => {
      if (!(error instanceof ReplicationError)) throw error;
      logger.info({ err: error, peer }, 'a clean sweep is asked for again');
      return null;
    });
    if (last !== null && !wanted.mayCompare) {
      this.#asked.set(peer, { ...last, found });
      return;
    }
    const pauseMs = last === null ? firstPauseMs : Math.min(longestPauseMs, 2 * last.pauseMs);
    const notBeforeMs = timer.monotonicMs() + pauseMs;
    this.#asked.set(peer, { since: wanted.since, found, pauseMs, notBeforeMs });
  }

  /** Whether neither side has written since the last look, as far as is known. */
  #isStill({ peer, written }: Observation): boolean {
    const before = this.#written.get(peer);
    this.#written.set(peer, written);
    return before?.own?.count === written.own?.count && before?.peer?.count === written.peer?.count;
  }

  async #store(before: Incident | null, step: IncidentStep): Promise<void> {
    const { incidents } = this.#options;
    switch (step.kind) {
      case 'none':
        return;
      case 'open': {
        const created = await incidents.create(step.incident);
        if (created !== null) this.#tell(before, created);
        return;
      }
      case 'drop':
        if (before !== null) await incidents.drop(before);
        return;
      case 'keep':
        if (before === null || isSame(before, step.incident)) return;
        if (await incidents.replace(step.incident)) this.#tell(before, step.incident);
    }
  }

  #tell(before: Incident | null, { number, peer, state, writes, declaredAtMs }: Incident): void {
    if (before?.state === state || declaredAtMs === null) return;
    const { logger } = this.#options;
    if (state === 'healing' || state === 'reconciled')
      logger.info({ number, peer, state, writes }, 'incident');
    else logger.warn({ number, peer, state, writes }, 'incident');
  }
}

/**
 * Names the moment in which both sides had settled what the incident waits for. One that breaks again is settled again, and
 * is another moment. The time in it only tells moments apart and orders none: clocks may be set (0068).
 */
function settlingOf({ number, until, settledAtMs }: Incident): string {
  return JSON.stringify([number, until, settledAtMs]);
}

function markOf(incarnation: Incarnation, beat: number | null, count: number | null): Mark | null {
  return beat === null ? null : { incarnation, beat, count };
}

function isSame(a: Incident, b: Incident): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
