import { describe, expect, it } from 'vitest';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import { type TailView, tailsOf } from './tail-watch.ts';

const region = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [eu, us, ap] = [region('eu'), region('us'), region('ap')];
const incarnation = { counter: 1, nonce: 1 };
const nowMs = 100_000;
const reach = (of: RegionId, lsn: bigint) => [{ region: of, incarnation, partition: 0, lsn }];
const beat = { number: 1, lsn: 1n, end: 1n, atMs: 0, count: 0 };
const heard = (origin: RegionId, agoMs: number) => ({
  origin,
  incarnation,
  beat,
  receivedAtMs: nowMs - agoMs,
});

function view(changes: Partial<TailView> = {}): TailView {
  return {
    peers: [eu, us],
    told: [{ peer: us, settled: reach(eu, 20n), given: [], atMs: nowMs - 300 }],
    heard: [heard(eu, 15_000), heard(us, 100)],
    awaited: [],
    closed: [],
    sinceMs: 0,
    nowMs,
    ...changes,
  };
}

describe('the tail of a silent origin', () => {
  it('is fetched of one that was closed, however loud it is', () => {
    const loud = { heard: [heard(eu, 100), heard(us, 100)] };
    expect(tailsOf(view(loud), reach(eu, 10n))).toEqual([]);
    expect(tailsOf(view({ ...loud, closed: [eu] }), reach(eu, 10n))).toMatchObject([
      { donor: us, origin: eu },
    ]);
  });

  it('is fetched from a peer that has settled more of it', () => {
    const wish = { donor: us, origin: eu, cause: 'tail', isDryRun: false };
    expect(tailsOf(view(), reach(eu, 10n))).toEqual([wish]);
  });

  it('is fetched from somebody who was not closed, whoever else has more', () => {
    const told = [
      { peer: us, settled: reach(eu, 30n), given: [], atMs: nowMs },
      { peer: ap, settled: reach(eu, 20n), given: [], atMs: nowMs },
    ];
    const gone = view({ peers: [eu, us, ap], told, closed: [eu, us] });
    expect(tailsOf(gone, [...reach(eu, 10n), ...reach(us, 1n)])).toMatchObject([{ donor: ap, origin: eu }]);
  });

  it('is fetched from a peer that has been given its past, where that is awaited here and nothing else is missing', () => {
    const second = { region: eu, incarnation: { counter: 2, nonce: 1 } };
    const settled = [...reach(eu, 20n), { ...second, partition: 0, lsn: 5n }];
    const tells = (given: TailView['told'][number]['given']) => [
      { peer: us, settled: settled.slice(1), given, atMs: nowMs },
    ];
    const wish = { donor: us, origin: eu, cause: 'tail', isDryRun: false };
    const awaited = [eu];
    expect(tailsOf(view({ awaited, told: tells([second]) }), settled)).toEqual([wish]);
    expect(tailsOf(view({ told: tells([second]) }), settled)).toEqual([]);
    for (const given of [[], [{ region: eu, incarnation }], [{ ...second, region: ap }]])
      expect(tailsOf(view({ awaited, told: tells(given) }), settled)).toEqual([]);
    const loud = { heard: [heard(eu, 100), heard(us, 100)] };
    expect(tailsOf(view({ ...loud, awaited, told: tells([second]) }), settled)).toEqual([]);
  });

  it('is not fetched where nobody has more', () => {
    expect(tailsOf(view(), reach(eu, 20n))).toEqual([]);
  });

  it('is fetched where the clock was set back since the origin was heard', () => {
    const set = { heard: [heard(eu, -3_600_000), heard(us, 100)], sinceMs: nowMs + 3_500_000 };
    expect(tailsOf(view(set), reach(eu, 10n))).toMatchObject([{ donor: us, origin: eu }]);
    const old = [{ peer: us, settled: reach(eu, 20n), given: [], atMs: nowMs + 3_600_000 }];
    expect(tailsOf(view({ ...set, told: old }), reach(eu, 10n))).toEqual([]);
  });

  it('is not fetched while the origin is heard: what is late comes by itself', () => {
    expect(tailsOf(view({ heard: [heard(eu, 500), heard(us, 100)] }), reach(eu, 10n))).toEqual([]);
  });

  it('is not fetched before this process has listened for as long', () => {
    expect(tailsOf(view({ sinceMs: nowMs - 3000 }), reach(eu, 10n))).toEqual([]);
  });

  it('is not fetched on an old word, nor from the origin itself', () => {
    const told = [
      { peer: us, settled: reach(eu, 20n), given: [], atMs: nowMs - 20_000 },
      { peer: eu, settled: reach(eu, 30n), given: [], atMs: nowMs },
      { peer: ap, settled: reach(us, 30n), given: [], atMs: nowMs },
    ];
    expect(tailsOf(view({ told }), reach(eu, 10n))).toEqual([]);
  });
});
