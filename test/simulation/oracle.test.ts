/** What a clock that is set back hides of the age of own beats: the time between those of two processes around it (0030). */
import { expect, test } from 'vitest';
import { drawScenario } from './scenario.ts';
import type { SimRegion } from './sim-region.ts';
import { World } from './world.ts';

/** A region at rest whose beats and whose clock the test moves. */
class Still {
  readonly #world = new World(
    drawScenario(1, { regions: 2, seconds: 60, isHealing: true, faults: null }),
    null,
  );
  readonly region: SimRegion = this.#world.regionAt(0);
  #writer = { region: this.region, incarnation: this.region.identity.incarnation };

  until(atMs: number): Promise<void> {
    return this.#world.scheduler.run(atMs, () => undefined);
  }

  /** By another process than the one before, or by the same. */
  beat(by: 'another' | 'the same' = 'another'): void {
    const { region } = this;
    if (by === 'another') this.#writer = { region, incarnation: region.identity.incarnation };
    this.#world.oracle.beat(this.#writer);
  }

  hiddenMs(sinceMs = 0): number {
    const { identity, clock } = this.region;
    return this.#world.oracle.hiddenMs(identity, clock.setBacks, sinceMs);
  }
}

test('a beat of the moment at which the clock was set back is from after it, if it was made after it', async () => {
  const still = new Still();
  await still.until(1000);
  still.beat();
  await still.until(2000);
  still.region.clock.jump(-60_000);
  still.beat();
  await still.until(2250);
  still.beat();
  expect(still.hiddenMs()).toBe(1000);
  expect(still.hiddenMs(2001), 'of what was written later').toBe(0);
});

test('and from before it, if it was made before it', async () => {
  const still = new Still();
  await still.until(1000);
  still.beat();
  await still.until(2000);
  still.beat();
  still.region.clock.jump(-60_000);
  await still.until(2250);
  expect(still.hiddenMs(), 'the next beat is still to come').toBe(250);
  still.beat();
  await still.until(2500);
  still.beat();
  expect(still.hiddenMs()).toBe(250);
});

test('no more is hidden than the clock was set back by', async () => {
  const still = new Still();
  await still.until(1000);
  still.beat();
  await still.until(1500);
  still.region.clock.jump(-100);
  still.region.clock.jump(5000);
  await still.until(2000);
  still.beat();
  expect(still.hiddenMs()).toBe(100);
});

test('where a life had no beat before, what passed until its first', async () => {
  const still = new Still();
  await still.until(1000);
  still.region.clock.jump(-60_000);
  await still.until(1250);
  still.beat();
  await still.until(2000);
  still.beat();
  expect(still.hiddenMs(500)).toBe(750);
});

test('nothing is hidden from a process that wrote both', async () => {
  const still = new Still();
  await still.until(1000);
  still.beat();
  await still.until(2000);
  still.region.clock.jump(-60_000);
  expect(still.hiddenMs(), 'the next beat is still to come').toBe(1000);
  still.beat('the same');
  expect(still.hiddenMs()).toBe(0);
});
