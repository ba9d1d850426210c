/** Which beats a target can know: those that the log brought, and those that the donor of a transfer was told. */
import type { Lsn } from '@isthmus/replication/ports/change';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { Vector } from '@isthmus/replication/ports/vector';
import { expect, test } from 'vitest';
import { ToldBeats } from './told-beats.ts';

const origin = parseRegionId('us') ?? expect.fail('us is a region');
const giving = parseRegionId('eu') ?? expect.fail('eu is a region');
const taking = parseRegionId('asia') ?? expect.fail('asia is a region');
const place = { region: origin, incarnation: { counter: 2, nonce: 7 }, partition: 0 };
const donor = { region: giving, incarnation: { counter: 1, nonce: 8 } };

/** A beat of the origin ends at each ten; the donor's own position grows with each snapshot. */
class Told {
  readonly #beats = new ToldBeats((_, upTo) => (upTo / 10n) * 10n);
  #own = 0n;
  #vector: Vector = [];

  /** The newest beat that the target was told, where it stands. */
  at(position: Lsn): Lsn {
    return this.#beats.told(taking, place, position);
  }

  brought(from: Lsn, to: Lsn): void {
    this.#beats.brought(taking, place, { from, to });
  }

  opened(settled: Lsn, { isAwaited = false } = {}): void {
    const own = ++this.#own;
    const third = { ...place, lsn: settled };
    this.#beats.opened({ donor, own, settled: [third], isAwaited: () => isAwaited });
    this.#vector = [third, { ...donor, partition: 0, lsn: own }];
  }

  /** By the newest snapshot. */
  raised(stood: Lsn | null): void {
    const before = stood === null ? [] : [{ ...place, origin, applied: stood }];
    this.#beats.raised(taking, { donor: giving, vector: this.#vector, before });
  }
}

test('the log tells the beats of what it brings', () => {
  const told = new Told();
  told.brought(0n, 57n);
  expect(told.at(57n)).toBe(50n);
});

test('a donor that awaits the past tells no beat, so the one from before is the newest that is known', () => {
  const told = new Told();
  told.opened(57n, { isAwaited: true });
  told.raised(23n);
  expect(told.at(57n)).toBe(20n);
  told.opened(88n, { isAwaited: true });
  told.raised(57n);
  expect(told.at(88n), 'and a second time').toBe(20n);
});

test('nothing is known of a life that begins with such a transfer', () => {
  const told = new Told();
  told.opened(57n, { isAwaited: true });
  told.raised(null);
  expect(told.at(57n)).toBe(0n);
});

test('the next beat that the log brings is known', () => {
  const told = new Told();
  told.opened(57n, { isAwaited: true });
  told.raised(23n);
  told.brought(57n, 59n);
  expect(told.at(59n), 'without a beat').toBe(20n);
  told.brought(59n, 60n);
  expect(told.at(60n)).toBe(60n);
  expect(told.at(57n), 'in a copy from before').toBe(20n);
});

test('whoever was told the beats tells them, and then they are known, though no position moves', () => {
  const told = new Told();
  told.opened(57n, { isAwaited: true });
  told.raised(23n);
  told.opened(57n);
  told.raised(57n);
  expect(told.at(57n)).toBe(50n);
});

test('a donor tells no more than it was told itself', () => {
  const beats = new ToldBeats((_, upTo) => (upTo / 10n) * 10n);
  const third = { ...place, lsn: 57n };
  const from = { region: taking, incarnation: { counter: 1, nonce: 9 } };
  beats.opened({ donor: from, own: 1n, settled: [third], isAwaited: () => true });
  const before = [{ ...place, origin, applied: 23n }];
  beats.raised(giving, { donor: taking, vector: [third, { ...from, partition: 0, lsn: 1n }], before });
  beats.opened({ donor, own: 1n, settled: [third], isAwaited: () => false });
  const behind = [{ ...place, origin, applied: 0n }];
  beats.raised(taking, {
    donor: giving,
    vector: [third, { ...donor, partition: 0, lsn: 1n }],
    before: behind,
  });
  expect(beats.told(taking, place, 57n)).toBe(20n);
});

test('what the log brings once more after the database was set back is known', () => {
  const told = new Told();
  told.opened(57n, { isAwaited: true });
  told.raised(23n);
  told.brought(35n, 48n);
  expect(told.at(48n)).toBe(40n);
  expect(told.at(35n)).toBe(20n);
});

test('beats of its own a donor always tells', () => {
  const beats = new ToldBeats((_, upTo) => (upTo / 10n) * 10n);
  const own = { ...donor, partition: 0, lsn: 57n };
  beats.opened({ donor, own: 57n, settled: [], isAwaited: () => true });
  beats.raised(taking, { donor: giving, vector: [own], before: [] });
  expect(beats.told(taking, own, 57n)).toBe(50n);
});
