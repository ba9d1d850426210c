/** What a caller in the same memory waits for beside an answer: the end of its patience, or of its interest. */
import type { Timer } from '../../ports/timer.ts';

export interface Silence {
  /** Resolves after the time, or when the signal is aborted; never once it was let go. */
  readonly over: Promise<void>;
  readonly letGo: () => void;
}

export function silence(timer: Timer, timeoutMs: number, signal: AbortSignal | undefined): Silence {
  let letGo = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    const giveUp = (): void => resolve();
    const cancel = timer.after(timeoutMs, giveUp);
    signal?.addEventListener('abort', giveUp);
    letGo = () => {
      cancel();
      signal?.removeEventListener('abort', giveUp);
    };
  });
  return { over, letGo };
}
