/** Lets time that is told to pass go on until something has come. */
import type { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';

const stepMs = 10;

export async function passing<T>(timer: ManualTimer, coming: Promise<T>): Promise<T> {
  let isThere = false;
  const end = (): void => {
    isThere = true;
  };
  coming.then(end, end);
  for (;;) {
    if (isThere) return coming;
    await timer.advance(stepMs);
  }
}
