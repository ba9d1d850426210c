/** What is read again and again while a region runs: the clock of its database, and the figures that it shows. */
import { ReplicationError } from '@isthmus/replication/errors';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { FigureReader } from '@isthmus/replication/progress/figures';
import { Ticker } from '@isthmus/replication/ticker';

const intervalMs = 1000;

/** Keeps the clock read; a reading that fails leaves the last one in force. */
export function calibrate(
  clock: { readonly calibrate: () => Promise<void> },
  { timer, log }: { readonly timer: Timer; readonly log: Logger },
): Ticker {
  const run = async () => {
    try {
      await clock.calibrate();
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      log.debug({ err: error }, 'the database clock could not be read');
    }
  };
  return new Ticker({ timer, intervalMs, run });
}

/** Keeps the figures young, so that what is told of a database that has just died is no older than this. */
export function refresh(figures: FigureReader, timer: Timer): Ticker {
  const run = async () => {
    await figures.read();
  };
  return new Ticker({ timer, intervalMs, run });
}
