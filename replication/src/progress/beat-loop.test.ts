import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import type { BeatHold } from '../ports/beat-store.ts';
import { BeatLoop } from './beat-loop.ts';
import { type BeatInput, type BeatState, stepBeat } from './beat-machine.ts';

const lost = new ReplicationError('database-unavailable', 'the hold is gone', { retriable: true });

/** A database with one lock, whose calls take as long and end as the test says. */
class Database {
  readonly timer = new ManualTimer();
  readonly beatsAt: number[] = [];
  holder: string | null = null;
  tries = 0;
  callMs = 0;
  isDown = false;

  async tryHold(): Promise<BeatHold | null> {
    this.tries++;
    await this.#call();
    if (this.holder !== null) return null;
    this.holder = 'loop';
    return {
      beat: async () => {
        this.beatsAt.push(this.timer.monotonicMs());
        await this.#call();
      },
      release: () => {
        this.holder = null;
        return Promise.resolve();
      },
    };
  }

  async #call(): Promise<void> {
    if (this.isDown) throw lost;
    if (this.callMs === 0) return;
    await new Promise<void>((resolve) => this.timer.after(this.callMs, resolve));
  }
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function started(): { database: Database; loop: BeatLoop; timer: ManualTimer } {
  const database = new Database();
  const loop = new BeatLoop({ store: database, timer: database.timer, logger: quiet });
  loop.start();
  return { database, loop, timer: database.timer };
}

test('beats lie on a grid of 250 ms, however long each takes', async () => {
  const { database, loop, timer } = started();
  database.callMs = 90;
  await timer.advance(1500);
  const [firstMs = 0] = database.beatsAt;
  expect(database.beatsAt.map((at) => at - firstMs)).toEqual([0, 250, 500, 750, 1000, 1250, 1500]);
  expect(loop.state.kind).toBe('beating');
  await Promise.all([loop.stop(), timer.advance(1000)]);
  expect(database.holder).toBeNull();
  expect(database.beatsAt).toHaveLength(7);
});

test('a slow beat makes others fall out instead of piling up', async () => {
  const { database, timer } = started();
  await timer.advance(100);
  database.callMs = 1100;
  await timer.advance(1000);
  database.callMs = 0;
  await timer.advance(1000);
  expect(database.beatsAt).toEqual([0, 250, 1500, 1750, 2000]);
});

test('it stands by while another holds, and takes over', async () => {
  const database = new Database();
  database.holder = 'another';
  const loop = new BeatLoop({ store: database, timer: database.timer, logger: quiet });
  loop.start();
  await database.timer.advance(1100);
  expect(loop.state).toMatchObject({ kind: 'waiting', reason: 'held-elsewhere' });
  expect(database.tries).toBe(3);
  database.holder = null;
  await database.timer.advance(500);
  expect(database.beatsAt.length).toBeGreaterThan(0);
});

test('a lost hold is released, sought again, and shown meanwhile', async () => {
  const { database, loop, timer } = started();
  await timer.advance(600);
  const beaten = database.beatsAt.length;
  database.isDown = true;
  await timer.advance(10_000);
  expect(loop.state).toMatchObject({ kind: 'waiting', reason: 'failed' });
  expect(loop.failure).toBe(lost);
  expect(database.holder).toBeNull();
  expect(database.beatsAt.length).toBe(beaten + 1);
  database.isDown = false;
  await timer.advance(1000);
  expect(loop.failure).toBeNull();
  expect(database.beatsAt.length).toBeGreaterThan(beaten + 1);
});

test('a database that hangs is left after five seconds, with nothing piled up', async () => {
  const { database, loop, timer } = started();
  await timer.advance(100);
  database.callMs = 1e9;
  await timer.advance(5300);
  expect(loop.state).toMatchObject({ kind: 'waiting', reason: 'timed-out' });
  expect(database.beatsAt).toHaveLength(2);
  await timer.advance(500);
  expect(loop.state.kind).toBe('seeking');
  database.callMs = 0;
  await timer.advance(6000);
  expect(loop.state.kind).toBe('holding');
});

test('a hold that comes after its call was abandoned is given back', async () => {
  const { database, loop, timer } = started();
  await loop.stop();
  await timer.advance(0);
  database.callMs = 7000;
  loop.start();
  await timer.advance(6500);
  expect(database.tries).toBe(3);
  database.callMs = 0;
  await timer.advance(600);
  expect(database.holder).toBeNull();
  await timer.advance(10_000);
  expect(loop.state.kind).toBe('holding');
});

test('no input in any state is without an answer, and stopped is final', () => {
  const states: BeatState[] = [
    { kind: 'waiting', reason: 'starting', untilMs: 100 },
    { kind: 'seeking', untilMs: 100 },
    { kind: 'holding', untilMs: 100 },
    { kind: 'beating', untilMs: 100, dueMs: 0 },
    { kind: 'stopped' },
  ];
  const inputs: BeatInput[] = ['time', 'won', 'held-elsewhere', 'done', 'failed', 'stop'];
  const table = states.map((state) =>
    inputs.map((input) => {
      const after = stepBeat(state, input, 100);
      return `${after.state.kind}/${after.effect}`;
    }),
  );
  const stop = 'stopped/release';
  expect(table).toEqual([
    ['seeking/seek', 'waiting/none', 'waiting/none', 'waiting/none', 'waiting/none', stop],
    ['waiting/release', 'holding/none', 'waiting/none', 'seeking/none', 'waiting/release', stop],
    ['beating/beat', 'holding/none', 'holding/none', 'holding/none', 'holding/none', stop],
    ['waiting/release', 'beating/none', 'beating/none', 'holding/none', 'waiting/release', stop],
    Array.from(inputs, () => 'stopped/none'),
  ]);
});
