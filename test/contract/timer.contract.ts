/**
 * What every `Timer` must do: nothing comes before its time, twice, or after it was taken back, whatever the process was
 * doing meanwhile. How late something comes, and what of two that are overdue comes first, is not promised.
 */
import type { Timer } from '@isthmus/replication/ports/timer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface TimerGround {
  readonly timer: Timer;
  /** Lets time pass until this has come. */
  readonly go: <T>(coming: Promise<T>) => Promise<T>;
  /** Calls nothing for so long, as a process that is stopped, and ends with that. */
  readonly stand: (forMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export function timerContract(name: string, begin: () => TimerGround): void {
  describe(`Timer: ${name}`, () => {
    let ground: TimerGround;
    let timer: Timer;
    beforeEach(() => {
      ground = begin();
      ({ timer } = ground);
    });
    afterEach(() => ground.close());

    const after = (delayMs: number): Promise<void> =>
      ground.go(new Promise((resolve) => void timer.after(delayMs, resolve)));

    /** The delays whose calls have come. */
    function calls(delaysMs: readonly number[]) {
      const came: number[] = [];
      const cancels = delaysMs.map((delayMs) => timer.after(delayMs, () => void came.push(delayMs)));
      return { came, cancels };
    }

    /** What has come once it is so many, and whatever comes soon after that, in alphabetical order. */
    async function settled(came: readonly unknown[], count: number): Promise<readonly string[]> {
      while (came.length < count) await after(1);
      await after(10);
      return came.map(String).toSorted();
    }

    it.each([0, 0.4, 1, 1.9, 3.5])('calls not before %d ms are over', async (delayMs) => {
      for (let round = 0; round < 10; round++) {
        const dueMs = timer.monotonicMs() + delayMs;
        await after(delayMs);
        expect(timer.monotonicMs()).toBeGreaterThanOrEqual(dueMs);
      }
    });

    it('calls once, and never in the call that asks for it', async () => {
      const came: string[] = [];
      timer.after(0, () => {
        timer.after(0, () => void came.push('asked in a call'));
        timer.turn(() => void came.push('turn of a call'));
        came.push('call');
      });
      timer.turn(() => void came.push('turn'));
      expect(came).toEqual([]);
      expect(await settled(came, 4)).toEqual(['asked in a call', 'call', 'turn', 'turn of a call']);
      const place = (what: string): number => came.indexOf(what);
      expect(place('call')).toBeLessThan(Math.min(place('asked in a call'), place('turn of a call')));
    });

    it('waits for what lies weeks ahead', async () => {
      const { came, cancels } = calls([2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 2 ** 53]);
      expect(await settled(came, 0)).toEqual([]);
      for (const cancel of cancels) cancel();
    });

    it('calls once what became due while the process stood still', async () => {
      const { came } = calls([12, 42, 2, 7]);
      await ground.stand(30);
      expect(came.filter((delayMs) => delayMs > 30)).toEqual([]);
      expect(await settled(came, 4)).toEqual(['12', '2', '42', '7']);
    });

    it('calls nothing that was taken back, be it twice', async () => {
      const { came, cancels } = calls([3, 4, 5]);
      cancels[1]?.();
      cancels[1]?.();
      expect(await settled(came, 2)).toEqual(['3', '5']);
    });

    it('takes nothing else back with what has come already', async () => {
      const { came, cancels } = calls([1]);
      expect(await settled(came, 1)).toEqual(['1']);
      const later = calls([2, 3]);
      cancels[0]?.();
      expect(await settled(later.came, 2)).toEqual(['2', '3']);
    });

    it('can be taken back in its own call', async () => {
      const came: string[] = [];
      const cancel = timer.after(2, () => {
        came.push('call');
        cancel();
        timer.after(1, () => void came.push('asked in it'));
        cancel();
      });
      expect(await settled(came, 2)).toEqual(['asked in it', 'call']);
    });

    it('does not call what another call took back, though both are overdue', async () => {
      const came: number[] = [];
      const cancels = [2, 2, 2].map((delayMs, place) =>
        timer.after(delayMs, () => {
          came.push(place);
          for (const cancel of cancels) cancel();
        }),
      );
      await ground.stand(40);
      expect(await settled(came, 1)).toHaveLength(1);
    });

    it('takes back what was overdue before the process went on', async () => {
      const { came, cancels } = calls([2, 3]);
      await ground.stand(40);
      cancels[0]?.();
      expect(await settled(came, 1)).toEqual(['3']);
    });

    it('gives turns in the order of asking, after all that is under way', async () => {
      const came: string[] = [];
      timer.turn(() => {
        came.push('one');
        timer.turn(() => void came.push('again'));
      });
      timer.turn(() => void came.push('two'));
      void Promise.resolve()
        .then(() => undefined)
        .then(() => void came.push('under way'));
      await settled(came, 4);
      expect(came).toEqual(['under way', 'one', 'two', 'again']);
    });

    it('never goes back, also over a stand-still', async () => {
      const readings = [timer.monotonicMs()];
      const read = (): void => void readings.push(timer.monotonicMs());
      for (const delayMs of [1, 2, 8]) timer.after(delayMs, read);
      await ground.stand(40);
      read();
      await after(5);
      read();
      expect(readings).toEqual(readings.toSorted((a, b) => a - b));
      expect(timer.monotonicMs() - (readings[0] ?? 0)).toBeGreaterThanOrEqual(45);
    });
  });
}
