import { expect, test } from 'vitest';
import { BeatClock } from './beat-clock.ts';

/** A database whose clock can be set back, and a writer that beats on it. */
function writer() {
  let nowMs = 5000;
  const clock = new BeatClock(() => nowMs);
  let wallMs = 1_000_000;
  let totalMs = 0;
  let lastMs = -Infinity;
  const pass = (ms: number): void => {
    nowMs += ms;
    wallMs += ms;
  };
  /** As the stores do it; the beat is written after `waitMs` of its way, and answered so much later. */
  const beat = async (waitMs = 1, answerMs = 1, setBackMs = 0): Promise<number> => {
    await clock.beat(async ({ leastMs, mostMs, passedMs }) => {
      pass(waitMs);
      wallMs -= setBackMs;
      const isBeyond = mostMs === null || lastMs > mostMs;
      if (wallMs + totalMs < Math.max(lastMs, leastMs ?? -Infinity))
        totalMs = (isBeyond ? lastMs + (passedMs ?? Infinity) : mostMs) - wallMs;
      lastMs = wallMs + totalMs;
      pass(answerMs);
      return lastMs;
    });
    return totalMs;
  };
  /** By another process, or by this one without an answer. */
  const beatUnseen = (): void => void (lastMs = Math.max(lastMs, wallMs + totalMs));
  return { beat, beatUnseen, pass, setBack: (ms: number) => void (wallMs -= ms) };
}

test('a writer without a beat of its own cannot tell how much time has passed', async () => {
  const clock = new BeatClock(() => 7);
  const bounds = await new Promise((resolve) => {
    void clock.beat(async (found) => {
      resolve(found);
      return 0;
    });
  });
  expect(bounds).toEqual({ leastMs: null, mostMs: null, passedMs: null });
});

test('clocks that nobody sets add nothing, however long beats wait', async () => {
  const { beat, pass } = writer();
  for (const [waitMs, answerMs] of [
    [1, 1],
    [20_000, 1],
    [1, 20_000],
    [1, 1],
    [300, 300],
  ]) {
    expect(await beat(waitMs, answerMs)).toBe(0);
    pass(250);
  }
});

test('a clock that is set back is found at the next beat, and taken for at least that', async () => {
  const { beat, pass, setBack } = writer();
  await beat();
  for (const byMs of [1000, 60_000]) {
    pass(250);
    const before = await beat();
    setBack(byMs);
    pass(250);
    expect((await beat()) - before).toBeGreaterThanOrEqual(byMs);
    pass(250);
    expect((await beat()) - before).toBeLessThan(byMs + 500);
  }
});

test('what a beat hid that waited for its database comes out at the next one', async () => {
  const { beat, pass } = writer();
  await beat();
  pass(250);
  // Set back by less than it stood: nothing to see at this beat alone.
  expect(await beat(18_000, 1, 17_000)).toBe(0);
  pass(250);
  expect(await beat()).toBeGreaterThanOrEqual(17_000);
  pass(250);
  expect(await beat()).toBeLessThan(18_500);
});

test('of a clock that was set back by more than its database stood all comes out by the next beat', async () => {
  const { beat, pass } = writer();
  await beat();
  pass(250);
  await beat(18_000, 1, 18_400);
  pass(250);
  expect(await beat()).toBeGreaterThanOrEqual(18_400);
});

test('however long beats wait for a database that is slow', async () => {
  for (const waitMs of [90, 160, 480, 900]) {
    const { beat, pass } = writer();
    for (let count = 0; count < 3; count++) {
      await beat(waitMs);
      pass(250);
    }
    expect(await beat(waitMs, 1, 5000), `${waitMs} ms`).toBeGreaterThanOrEqual(5000);
  }
});

test('a writer whose beats always wait is followed by the best it has', async () => {
  const { beat, pass, setBack } = writer();
  for (let count = 0; count < 10; count++) {
    expect(await beat(400, 400)).toBe(0);
    pass(250);
  }
  setBack(5000);
  expect(await beat(400, 400)).toBeGreaterThanOrEqual(5000);
});

test('the time since a beat that its writer has not seen, made while the clock was ahead, is not forgotten', async () => {
  const { beat, beatUnseen, pass, setBack } = writer();
  await beat();
  pass(250);
  setBack(-60_000);
  beatUnseen();
  pass(2000);
  setBack(60_000);
  const total = await beat();
  expect(total).toBeGreaterThanOrEqual(60_000);
  expect(total).toBeLessThan(60_500);
});

test('two clocks that drift apart by a little are none that was set back', async () => {
  const { beat, pass, setBack } = writer();
  for (let second = 0; second < 4000; second++) {
    expect(await beat(400, 400)).toBe(0);
    pass(200);
    setBack(0.1);
  }
});

/** Looks twice a second at the beats of a process whose transactions take `commitMs`. */
async function standby({ commitMs = 2, looks = 40 } = {}) {
  let nowMs = 5000;
  let setBackMs = 0;
  const clock = new BeatClock(() => nowMs);
  const unsetMs = (): number => 1_000_000 + nowMs;
  const beats: { number: number; unsetMs: number; fromMs: number }[] = [];
  for (let atMs = nowMs; beats.length < 200; atMs += Math.max(250, commitMs))
    beats.push({ number: beats.length + 1, unsetMs: 1_000_000 + atMs, fromMs: atMs + commitMs });
  for (let count = 0; count < looks; count++) {
    nowMs += 501;
    await clock.look(async () => beats.findLast(({ fromMs }) => fromMs <= nowMs) ?? null);
  }
  /** The first beats after the other process has gone; answers by how much the clock is taken to have been set back. */
  let totalMs = 0;
  let lastMs = beats.findLast(({ fromMs }) => fromMs <= nowMs)?.unsetMs ?? 0;
  const beat = async (waitMs = 1): Promise<number> => {
    nowMs += 250;
    await clock.beat(async ({ leastMs, mostMs, passedMs }) => {
      nowMs += waitMs;
      const wallMs = unsetMs() - setBackMs;
      if (wallMs + totalMs < Math.max(lastMs, leastMs ?? -Infinity))
        totalMs = (mostMs === null || lastMs > mostMs ? lastMs + (passedMs ?? Infinity) : mostMs) - wallMs;
      lastMs = wallMs + totalMs;
      nowMs += 1;
      return lastMs;
    });
    return totalMs;
  };
  const pass = (ms: number): void => void (nowMs += ms);
  return { beat, pass, setBack: (ms: number) => void (setBackMs += ms) };
}

test('a process that stood by can tell by how much the clock was set back before its first beat', async () => {
  for (const byMs of [60_000, 4000]) {
    const { beat, pass, setBack } = await standby();
    // Set back by less than has passed: nothing to see at the two beats alone.
    pass(5000);
    setBack(byMs);
    const totalMs = await beat();
    expect(totalMs).toBeGreaterThanOrEqual(byMs);
    expect(totalMs).toBeLessThan(byMs + 2500);
  }
});

test('also where its first beat waits for the database', async () => {
  for (const waitMs of [90, 300, 600, 900]) {
    const { beat, setBack } = await standby();
    setBack(60_000);
    await beat(waitMs);
    expect(await beat(), `${waitMs} ms`).toBeGreaterThanOrEqual(60_000);
  }
});

test('also where the beats that it saw were long on their way', async () => {
  for (const commitMs of [50, 240, 800, 2000, 3500]) {
    const { beat, setBack } = await standby({ commitMs });
    setBack(60_000);
    expect(await beat(), `${commitMs} ms`).toBeGreaterThanOrEqual(60_000);
  }
});

test('one that has looked once cannot, because a beat says nothing of when it was written', async () => {
  const { beat, setBack } = await standby({ looks: 1 });
  setBack(60_000);
  expect(await beat()).toBe(Infinity);
});
