/**
 * What was dropped out of logs because nobody vouches for it: counted since the process began, told in the log, and shown
 * in the status. Whoever can write into a log can do so without end, so a region, topic and fault is told of once in a
 * while, with its number. Nothing of what a record holds is ever repeated.
 */
import type { Logger } from '@isthmus/replication/ports/logger';
import type { LogTopic, RefusedRecord, SealFault } from '@isthmus/replication/ports/log-seal';
import type { RegionId } from '@isthmus/replication/ports/identity';

/** Of one region's log. */
export interface RefusedView {
  readonly region: RegionId;
  readonly topic: LogTopic;
  readonly cause: SealFault;
  /** Readings, since this process began: a record that is read again is refused again. */
  readonly count: number;
  readonly lastAt: string;
}

interface Tally extends Pick<RefusedRecord, 'region' | 'topic' | 'fault'> {
  readonly count: number;
  readonly lastMs: number;
  readonly toldMs: number;
}

const tellEveryMs = 10_000;

export interface RefusedRecordsOptions {
  readonly logger: Logger;
  readonly nowMs: () => number;
  readonly onRefused: (refused: RefusedRecord) => void;
}

export class RefusedRecords {
  readonly #options: RefusedRecordsOptions;
  readonly #tallies = new Map<string, Tally>();

  constructor(options: RefusedRecordsOptions) {
    this.#options = options;
  }

  get view(): readonly RefusedView[] {
    return [...this.#tallies.values()].map(({ region, topic, fault: cause, count, lastMs }) => {
      return { region, topic, cause, count, lastAt: new Date(lastMs).toISOString() };
    });
  }

  note(refused: RefusedRecord): void {
    const { logger, nowMs, onRefused } = this.#options;
    const { region, topic, partition, offset, fault } = refused;
    const name = `${region} ${topic} ${fault}`;
    const before = this.#tallies.get(name);
    const count = (before?.count ?? 0) + 1;
    const now = nowMs();
    const isDue = before === undefined || now - before.toldMs >= tellEveryMs;
    this.#tallies.set(name, {
      region,
      topic,
      fault,
      count,
      lastMs: now,
      toldMs: isDue ? now : before.toldMs,
    });
    onRefused(refused);
    if (!isDue) return;
    const place = { origin: region, topic, partition, offset: offset === null ? null : String(offset) };
    logger.error({ ...place, cause: fault, count }, 'log record dropped: nobody vouches for it');
  }
}
