/**
 * The gauges that are computed from the tables whenever somebody scrapes. What is not known must not be read as zero
 * by any dashboard or rule: an age that is unknown is `+Inf`, as it may be of any size and has to trip every
 * threshold; a count, a moment or an offset that is unknown is `NaN`, which makes sums and comparisons void. A link
 * that this process does not watch has no series.
 */
import { ageMs } from '@isthmus/replication/age';
import { isOpenIncident } from '@isthmus/replication/links/incident-machine';
import { linkStates } from '@isthmus/replication/links/link-monitor';
import type { LinkView } from '@isthmus/replication/links/link-watch';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Fate, FateCount } from '@isthmus/replication/ports/dead-letter-store';
import type { Verification } from '@isthmus/replication/ports/verification';
import type { Incident } from '@isthmus/replication/ports/incident-store';
import { filled, sumOf } from '@isthmus/replication/letter-limits';
import type { DeadLetterCause, DeadLetterCount } from '@isthmus/replication/ports/record-store';
import { errorNow } from '@isthmus/replication/progress/clock-offset';
import { type FiguresRead, type PeerView, viewLog, viewPeer } from '@isthmus/replication/progress/figures';
import type { Rpo } from '@isthmus/replication/progress/rpo';
import { Gauge, type Registry } from 'prom-client';

const deadLetterCauses: readonly DeadLetterCause[] = [
  'malformed',
  'clock-too-far-ahead',
  'too-large',
  'newer-format',
];

const fates: readonly Fate[] = ['waiting', 'repaired', 'lost'];

export interface FigureGaugesOptions {
  readonly registry: Registry;
  readonly region: RegionId;
  readonly peers: readonly RegionId[];
}

export interface Scraped {
  readonly read: FiguresRead;
  /** `null`: the clock was not read yet. */
  readonly nowMs: number | null;
  readonly links: readonly LinkView[];
  /** Incidents that have not ended; `null`: unknown. */
  readonly incidents: readonly Incident[] | null;
  /** `null`: the database does not say. */
  readonly verified: readonly Verification[] | null;
  /** Of dead letters that were given up; `null`: the database does not say. */
  readonly fates: readonly FateCount[] | null;
  /** Closed dead letters that are still kept; `null`: the database does not say. */
  readonly closedLetters: number | null;
}

/** An age in seconds; unknown is unbounded. */
function age(seconds: number | null): number {
  return seconds ?? Number.POSITIVE_INFINITY;
}

/** A count, moment or offset; unknown is no number. */
function known(value: number | null): number {
  return value ?? Number.NaN;
}

/** Makes the gauges of a registry. */
function gaugesIn(registry: Registry) {
  return <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name: `isthmus_${name}`, help, labelNames, registers: [registry] });
}

/** How far the changes of each region have come. */
function changeGauges(gauge: ReturnType<typeof gaugesIn>) {
  return {
    lag: gauge(
      'replication_lag_seconds',
      'Age of the oldest change of the origin known or presumed not to be applied here; +Inf: unknown',
      ['origin', 'target'],
    ),
    backlog: gauge(
      'replication_backlog_changes',
      'Changes of the origin counted there and not settled here; NaN: unknown',
      ['origin'],
    ),
    rpoSeconds: gauge(
      'rpo_seconds',
      'Age of the oldest own commit that the peer, or the own log, has not confirmed; +Inf: unknown',
      ['peer'],
    ),
    rpoChanges: gauge(
      'rpo_changes',
      'Own changes that the peer, or the own log, has not confirmed; NaN: unknown',
      ['peer'],
    ),
    replicatedThrough: gauge(
      'replicated_through_timestamp_seconds',
      'Everything that committed here before this moment is held there; NaN: unknown',
      ['peer'],
    ),
    clockOffset: gauge(
      'clock_offset_seconds',
      "How far the own clock is ahead of the peer's; NaN: never measured",
      ['peer'],
    ),
    clockOffsetError: gauge(
      'clock_offset_error_seconds',
      'Bound of the error of isthmus_clock_offset_seconds, growing while nothing is measured; +Inf: never measured',
      ['peer'],
    ),
  };
}

export class FigureGauges {
  readonly #region: RegionId;
  readonly #peers: readonly RegionId[];
  /** Whose changes may be put aside: also the own ones of an earlier life, and those of a region that is no peer any more. */
  readonly #letterOrigins: Set<RegionId>;
  readonly #changes;
  readonly #linkState;
  readonly #splitBrain;
  readonly #incidentSeconds;
  readonly #deadLetters;
  readonly #lettersFilled;
  readonly #closedLetters;
  readonly #fates;
  readonly #verifiedThrough;
  readonly #diverged;
  readonly #beatAge;
  readonly #figuresAge;

  constructor({ registry, region, peers }: FigureGaugesOptions) {
    this.#region = region;
    this.#peers = peers;
    this.#letterOrigins = new Set([region, ...peers]);
    const gauge = gaugesIn(registry);
    this.#changes = changeGauges(gauge);
    this.#linkState = gauge(
      'link_state',
      '1 for the present state of the link to the peer, 0 for all others',
      ['peer', 'state'],
    );
    this.#splitBrain = gauge(
      'split_brain',
      '1 while a partition window to the peer is open in which both sides wrote, or may have; NaN: unknown',
      ['peer'],
    );
    this.#incidentSeconds = gauge(
      'incident_seconds',
      'Age of the oldest incident that is not over; 0: there is none; +Inf: unknown',
      [],
    );
    this.#deadLetters = gauge('dead_letters', 'Open dead letters; NaN: unknown', ['origin', 'cause']);
    this.#lettersFilled = gauge(
      'dead_letters_fill_ratio',
      "How much of the bound the origin's open dead letters take; at 1 its partitions wait; NaN: unknown",
      ['origin'],
    );
    this.#closedLetters = gauge(
      'closed_dead_letters',
      'Closed dead letters that are still kept; NaN: unknown',
      [],
    );
    this.#fates = gauge(
      'given_up_dead_letters',
      'Dead letters that an operator gave up and that are still kept, by what became of them: waiting for a transfer, repaired by one, or lost; NaN: unknown',
      ['origin', 'fate'],
    );
    this.#verifiedThrough = gauge(
      'verified_through_timestamp_seconds',
      'Begin of the last clean sweep: both sides showed the same; NaN: none yet, or unknown',
      ['peer'],
    );
    this.#diverged = gauge(
      'diverged',
      '1 where the last sweep found live data to differ though both sides were caught up; NaN: unknown',
      ['peer'],
    );
    this.#beatAge = gauge('beat_age_seconds', 'Age of the newest own beat; +Inf: unknown', []);
    this.#figuresAge = gauge(
      'figures_age_seconds',
      'Time since the tables were last read for this page; +Inf: never',
      [],
    );
  }

  set(scraped: Scraped): void {
    const { figures, isCurrent, ageMs: readAgeMs } = scraped.read;
    const { nowMs } = scraped;
    this.#figuresAge.set(age(readAgeMs === null ? null : readAgeMs / 1000));
    this.#setDeadLetters(isCurrent ? (figures?.deadLetters ?? null) : null);
    this.#setFates(scraped.fates);
    this.#closedLetters.set(known(scraped.closedLetters));
    this.#setLinks(scraped.links);
    this.#setIncidents(scraped);
    const isKnown = figures !== null && nowMs !== null;
    const beatAgeMs = isKnown ? ageMs(nowMs, figures.own.newest?.atMs ?? null) : null;
    this.#beatAge.set(age(beatAgeMs === null ? null : beatAgeMs / 1000));
    this.#setRpo('log', isKnown ? viewLog(figures, nowMs) : null);
    for (const peer of this.#peers) {
      const found = figures?.peers.find((candidate) => candidate.peer === peer);
      const view = isKnown && found !== undefined ? viewPeer(figures, found, nowMs) : null;
      this.#setPeer(peer, view, nowMs);
      this.#setVerified(peer, scraped.verified?.find((candidate) => candidate.peer === peer) ?? null);
    }
  }

  #setPeer(peer: RegionId, view: PeerView | null, nowMs: number | null): void {
    this.#changes.lag.set({ origin: peer, target: this.#region }, age(view?.lag.seconds ?? null));
    this.#changes.backlog.set({ origin: peer }, known(view?.lag.backlogChanges ?? null));
    this.#setRpo(peer, view?.rpo ?? null);
    const offset = view?.clockOffset ?? null;
    this.#changes.clockOffset.set({ peer }, known(offset === null ? null : offset.offsetMs / 1000));
    const errorMs = offset === null || nowMs === null ? null : errorNow(offset, nowMs);
    this.#changes.clockOffsetError.set({ peer }, age(errorMs === null ? null : errorMs / 1000));
  }

  #setVerified(peer: RegionId, proof: Verification | null): void {
    const { throughMs = null, diverged = null } = proof ?? {};
    this.#verifiedThrough.set({ peer }, known(throughMs === null ? null : throughMs / 1000));
    this.#diverged.set({ peer }, known(diverged === null ? null : Number(diverged)));
  }

  #setRpo(peer: RegionId | 'log', rpo: Rpo | null): void {
    const throughMs = rpo?.replicatedThroughMs ?? null;
    this.#changes.rpoSeconds.set({ peer }, age(rpo?.seconds ?? null));
    this.#changes.rpoChanges.set({ peer }, known(rpo?.changes ?? null));
    this.#changes.replicatedThrough.set({ peer }, known(throughMs === null ? null : throughMs / 1000));
  }

  #setLinks(links: readonly LinkView[]): void {
    for (const { peer, state } of links)
      for (const kind of linkStates) this.#linkState.set({ peer, state: kind }, kind === state.kind ? 1 : 0);
  }

  #setIncidents({ incidents, nowMs }: Scraped): void {
    const open = incidents?.filter(isOpenIncident) ?? null;
    for (const peer of this.#peers) {
      const isSplit = open?.some((incident) => incident.peer === peer) ?? null;
      this.#splitBrain.set({ peer }, known(isSplit === null ? null : Number(isSplit)));
    }
    const ages = nowMs === null ? null : open?.map(({ startedAtMs }) => nowMs - startedAtMs);
    this.#incidentSeconds.set(age(ages ? Math.max(0, ...ages) / 1000 : null));
  }

  #setFates(counts: readonly FateCount[] | null): void {
    for (const origin of this.#originsWith(counts))
      for (const fate of fates) {
        const found = counts?.find((entry) => entry.origin === origin && entry.fate === fate);
        this.#fates.set({ origin, fate }, known(counts === null ? null : (found?.count ?? 0)));
      }
  }

  #setDeadLetters(counts: readonly DeadLetterCount[] | null): void {
    for (const origin of this.#originsWith(counts)) {
      const open = counts?.filter((entry) => entry.origin === origin) ?? null;
      this.#lettersFilled.set({ origin }, known(open && filled(sumOf(open))));
      for (const cause of deadLetterCauses) {
        const found = counts?.find((entry) => entry.origin === origin && entry.cause === cause);
        this.#deadLetters.set({ origin, cause }, known(counts === null ? null : (found?.count ?? 0)));
      }
    }
  }

  /** An origin that had some goes on being shown, or its last number would stand for ever. */
  #originsWith(counts: readonly { readonly origin: RegionId }[] | null): ReadonlySet<RegionId> {
    for (const { origin } of counts ?? []) this.#letterOrigins.add(origin);
    return this.#letterOrigins;
  }
}
