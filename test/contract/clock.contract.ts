/**
 * What every `Clock` must do (P3): it is the database's clock and no other, known from the first reading on, and a
 * reading that fails, comes late or contradicts another takes nothing away for longer than until the next one.
 */
import type { Clock } from '@isthmus/replication/ports/clock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

export interface ClockGround {
  readonly clock: Clock;
  /** Reads the database's clock. */
  readonly calibrate: () => Promise<void>;
  /** The database's clock now, asked by somebody else. */
  readonly truth: () => Promise<number>;
  /** Somebody sets the database's clock. */
  readonly set: (byMs: number) => Promise<void>;
  /** Keeps the answers of readings that are made from now on, until the returned function is called. */
  readonly hold: () => Promise<() => Promise<void>>;
  /** So many readings were made, and their answers are kept. */
  readonly held: (count: number) => Promise<void>;
  readonly goDown: () => Promise<() => Promise<void>>;
  /** Lets time pass until this has come. */
  readonly go: <T>(coming: Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

/** Far more than any reading takes, far less than what clocks are set by here. */
const nearMs = 10_000;
const jumpMs = 100_000;

export function clockContract(name: string, begin: () => Promise<ClockGround>): void {
  describe(`Clock: ${name}`, () => {
    let ground: ClockGround;
    beforeEach(async () => {
      ground = await begin();
    });
    afterEach(() => ground.close());

    const calibrate = () => ground.go(ground.calibrate());
    const errorMs = async (): Promise<number> => ground.clock.nowMs() - (await ground.go(ground.truth()));
    const expectRight = async (): Promise<void> => expect(Math.abs(await errorMs())).toBeLessThan(nearMs);

    it('says that it is unknown before the first reading, and nothing made up', async () => {
      const unknown = expect.objectContaining({ code: 'clock-unknown', retriable: true });
      expect(() => ground.clock.nowMs()).toThrow(unknown);
      await calibrate();
      await expectRight();
    });

    it('stays unknown where the first reading fails, and can be read later', async () => {
      const comeUp = await ground.goDown();
      await expect(calibrate()).rejects.toMatchObject({ code: 'database-unavailable', retriable: true });
      expect(() => ground.clock.nowMs()).toThrow(expect.objectContaining({ code: 'clock-unknown' }));
      await comeUp();
      await vi.waitFor(calibrate, { timeout: 20_000, interval: 50 });
      await expectRight();
    }, 60_000);

    it('goes on by itself while no reading succeeds', async () => {
      await calibrate();
      const before = ground.clock.nowMs();
      const comeUp = await ground.goDown();
      await expect(calibrate()).rejects.toMatchObject({ code: 'database-unavailable' });
      const during = ground.clock.nowMs();
      await comeUp();
      expect(during).toBeGreaterThanOrEqual(before);
      await expectRight();
    }, 60_000);

    it.each([jumpMs, -jumpMs])(
      'follows a clock that was set by %d ms with the next reading, not before',
      async (byMs) => {
        await calibrate();
        await ground.set(byMs);
        expect(Math.abs((await errorMs()) + byMs)).toBeLessThan(nearMs);
        await calibrate();
        await expectRight();
        await ground.set(-byMs);
        await calibrate();
        await expectRight();
      },
    );

    it("does not look at the process's own time of day", async () => {
      await calibrate();
      const wall = vi.spyOn(Date, 'now').mockReturnValue(0);
      const error = await errorMs();
      await calibrate();
      wall.mockRestore();
      expect(Math.abs(error)).toBeLessThan(nearMs);
      await expectRight();
    });

    it('is known while a reading is under way, and right once that has come', async () => {
      await calibrate();
      const release = await ground.hold();
      const late = ground.calibrate();
      await ground.go(ground.held(1));
      await expectRight();
      await release();
      await ground.go(late);
      await expectRight();
    });

    it('is set right by the next reading, whichever of two that contradict each other came last', async () => {
      await calibrate();
      const release = await ground.hold();
      const old = ground.calibrate();
      await ground.go(ground.held(1));
      await ground.set(-jumpMs);
      const young = ground.calibrate();
      await ground.go(ground.held(2));
      await release();
      await ground.go(Promise.all([old, young]));
      await calibrate();
      await expectRight();
    });

    it('never goes back by itself', async () => {
      await calibrate();
      const readings: number[] = [];
      for (let count = 0; count < 20; count++) {
        readings.push(ground.clock.nowMs());
        await ground.go(ground.truth());
      }
      expect(readings).toEqual(readings.toSorted((a, b) => a - b));
    });
  });
}
