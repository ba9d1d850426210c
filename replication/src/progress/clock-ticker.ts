/** Has all readers of progress look at the clocks with every beat interval, because nothing may come from the peers. */
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import { beatIntervalMs } from './beat-interval.ts';
import type { ProgressReader } from './progress-reader.ts';

export function clockTicker(readers: readonly Pick<ProgressReader, 'noticeClocks'>[], timer: Timer): Ticker {
  const run = async (): Promise<void> => {
    await Promise.all(readers.map((reader) => reader.noticeClocks()));
  };
  return new Ticker({ timer, intervalMs: beatIntervalMs, run });
}
