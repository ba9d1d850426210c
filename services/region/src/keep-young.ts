/**
 * Readings that are kept young while the process lives: the database's clock, and the figures, so that what is told of a
 * database that has just died is no older than a second. A reading that fails leaves the last one in force.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { FigureReader } from '@isthmus/replication/progress/figures';
import { Ticker } from '@isthmus/replication/ticker';
import type { Logger } from 'pino';

const intervalMs = 1000;

export function keepCalibrated(
  clock: { readonly calibrate: () => Promise<void> },
  log: Logger,
  timer: Timer,
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

export function keepRead(figures: Pick<FigureReader, 'read'>, timer: Timer): Ticker {
  const run = async () => {
    await figures.read();
  };
  return new Ticker({ timer, intervalMs, run });
}
