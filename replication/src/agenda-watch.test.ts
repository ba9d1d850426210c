import { expect, test } from 'vitest';
import { MemoryAgendaStore } from './adapters/memory/agenda-store.ts';
import { ManualTimer } from './adapters/memory/manual-timer.ts';
import { type AgendaTurns, AgendaWatch } from './agenda-watch.ts';
import { ReplicationError } from './errors.ts';
import type { Agenda } from './ports/agenda-store.ts';

const ignore = () => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Readings are numbered by the stamps that they give. */
class World {
  readonly timer = new ManualTimer();
  readonly turns: string[] = [];
  readings = 0;
  isDown = false;
  answerMs = 0;
  /** Answers arrive once this resolves. */
  onTheWay: Promise<void> = Promise.resolve();
  readonly watch: AgendaWatch;

  constructor() {
    const inner = new MemoryAgendaStore({});
    const read = async (): Promise<Agenda> => {
      const leastStampMs = ++this.readings;
      await this.onTheWay;
      await new Promise<void>((resolve) => void this.timer.after(this.answerMs, resolve));
      if (this.isDown) throw new ReplicationError('database-unavailable', 'down', { retriable: true });
      return { ...(await inner.read()), letters: { hasFates: false, leastStampMs } };
    };
    this.watch = new AgendaWatch({ store: { read }, timer: this.timer, logger });
    this.watch.start();
  }

  part(name: string, intervalMs: number, work: () => Promise<void> = async () => undefined): AgendaTurns {
    const part = this.watch.turns({
      intervalMs,
      run: async ({ letters }) => {
        this.turns.push(`${name}${letters.leastStampMs ?? ''}`);
        await work();
      },
    });
    part.start();
    return part;
  }
}

function gate() {
  let open = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open: () => open() };
}

test('one reading serves every part that has a turn, each at its own rate and in the order of their starts', async () => {
  const world = new World();
  world.part('a', 500);
  world.part('b', 250);
  world.part('c', 1000);
  await world.timer.advance(1000);
  expect(world.turns).toEqual(['a1', 'b1', 'c1', 'b2', 'a3', 'b3', 'b4', 'a5', 'b5', 'c5']);
  expect([world.readings, world.watch.last?.letters.leastStampMs]).toEqual([5, 5]);
});

test('nothing is read while no part has a turn', async () => {
  const world = new World();
  await world.timer.advance(1000);
  expect(world.readings).toBe(0);
  const part = world.part('a', 1000);
  await world.timer.advance(1000);
  await part.stop();
  await world.timer.advance(1000);
  expect([world.readings, world.turns]).toEqual([1, ['a1']]);
});

test('a turn that lasts holds nobody else up, and no reading that began before its end makes the next', async () => {
  const world = new World();
  const [turn, answer] = [gate(), gate()];
  world.part('slow', 250, () => turn.closed);
  world.part('b', 250);
  await world.timer.advance(600);
  expect(world.turns).toEqual(['slow1', 'b1', 'b2', 'b3']);
  world.onTheWay = answer.closed;
  await world.timer.advance(250);
  turn.open();
  await world.timer.advance(10);
  answer.open();
  await world.timer.advance(240);
  expect(world.turns.slice(4)).toEqual(['b4', 'slow5', 'b5']);
});

test('a reading that fails is no turn, and the next one is', async () => {
  const world = new World();
  world.part('a', 250);
  world.isDown = true;
  await world.timer.advance(250);
  expect([world.readings, world.turns, world.watch.last]).toEqual([2, [], null]);
  world.isDown = false;
  await world.timer.advance(250);
  expect(world.turns).toEqual(['a3']);
});

test('a part that is stopped gets no turn of a reading that is under way, and waits for its own last turn', async () => {
  const world = new World();
  const [turn, answer] = [gate(), gate()];
  world.onTheWay = answer.closed;
  const early = world.part('early', 250);
  const busy = world.part('busy', 250, () => turn.closed);
  await world.timer.advance(10);
  await early.stop();
  answer.open();
  await world.timer.advance(10);
  expect(world.turns).toEqual(['busy1']);
  const stopping = busy.stop();
  await world.timer.advance(500);
  expect(await Promise.race([stopping, Promise.resolve('it waits')])).toBe('it waits');
  turn.open();
  await stopping;
  expect(world.turns).toEqual(['busy1']);
});

test('slow readings cost a part no more turns than they must', async () => {
  const world = new World();
  world.answerMs = 600;
  world.part('a', 250);
  world.part('b', 1000);
  await world.timer.advance(3700);
  expect(world.turns).toEqual(['a1', 'b1', 'a2', 'a3', 'b3', 'a4', 'b4', 'a5', 'b5']);
});

test('a timer that is late now and then keeps no part from a turn', async () => {
  const world = new World();
  world.part('a', 250);
  world.part('b', 500);
  world.timer.pause(60);
  await world.timer.advance(970);
  world.timer.pause(60);
  await world.timer.advance(430);
  expect(world.turns).toEqual(['a1', 'b1', 'a2', 'a3', 'b3', 'a4', 'a5', 'b5', 'a6', 'a7', 'b7']);
});
