/**
 * So many callers, each of whom sends its next piece when the one before is done: what a rate comes to where everybody
 * waits for an answer. Where a piece fails the loop has failed; the other callers end with what they have under way,
 * before the failure is told.
 */

export interface ClosedLoopOptions {
  readonly callers: number;
  /** No piece is begun after it; those under way are waited for and count. */
  readonly durationMs: number;
  /** Resolves when the piece is done. Callers are numbered from 0. */
  readonly send: (caller: number) => Promise<void>;
}

export interface ClosedLoopResult {
  readonly done: number;
  /** Until the last piece was done. */
  readonly elapsedMs: number;
}

/** Rejects with the failure that came first. */
export async function closedLoop({
  callers,
  durationMs,
  send,
}: ClosedLoopOptions): Promise<ClosedLoopResult> {
  const startMs = performance.now();
  const failures: unknown[] = [];
  let done = 0;
  const call = async (caller: number): Promise<void> => {
    while (failures.length === 0 && performance.now() - startMs < durationMs) {
      await send(caller);
      done++;
    }
  };
  const calling = Array.from({ length: callers }, (_, caller) =>
    call(caller).catch((reason: unknown) => void failures.push(reason)),
  );
  await Promise.all(calling);
  if (failures.length > 0) throw failures[0];
  return { done, elapsedMs: performance.now() - startMs };
}

export function perSecond({ done, elapsedMs }: ClosedLoopResult): number {
  return (done * 1000) / elapsedMs;
}
