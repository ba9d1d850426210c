import { expect, it } from 'vitest';
import { parseRegionId } from '../ports/identity.ts';
import { givenPasts } from './given-pasts.ts';

const life = (name: string, counter: number) => ({
  region: parseRegionId(name) ?? expect.fail(name),
  incarnation: { counter, nonce: counter },
});
const entry = (name: string, counter: number) => ({ ...life(name, counter), partition: 0, lsn: 9n });
const beat = { number: 1, lsn: 1n, end: 1n, atMs: 0, count: 0 };
const self = life('us', 3);
const donor = life('eu', 2).region;

it("brings the donor's past as its own life, and the own one is nobody's to give", () => {
  const vector = [entry('eu', 1), entry('eu', 2), entry('us', 2), entry('ap', 2)];
  expect(givenPasts({ self, donor, vector, beats: [] })).toEqual([life('eu', 2), self]);
});

it("brings a third region's where the donor tells a settled beat of it, as the latest such life", () => {
  const vector = [entry('eu', 2), entry('ap', 1), entry('ap', 2), entry('ap', 3)];
  const beats = [1, 2].map((counter) => ({ ...life('ap', counter), beat }));
  expect(givenPasts({ self, donor, vector, beats })).toEqual([life('eu', 2), life('ap', 2), self]);
});
