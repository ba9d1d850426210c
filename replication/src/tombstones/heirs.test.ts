import { expect, test } from 'vitest';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import type { Retirement } from '../ports/retirement-store.ts';
import { inheritanceOf } from './heirs.ts';

const region = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [ap, eu, sa, us] = [region('ap'), region('eu'), region('sa'), region('us')];

function retired(gone: RegionId, heir: RegionId | null, isReached = true): Retirement {
  return { region: gone, wish: null, final: heir === null ? null : [], heir, isReached };
}

test('a region that is not gone is inherited by nobody', () => {
  expect(inheritanceOf(eu, [retired(ap, us)])).toBeNull();
});

test('the heir inherits once all of it is here', () => {
  expect(inheritanceOf(ap, [retired(ap, us, false)])).toEqual({ heir: us, isReached: false });
  expect(inheritanceOf(ap, [retired(ap, us)])).toEqual({ heir: us, isReached: true });
  expect(inheritanceOf(ap, [retired(ap, null, false)])).toMatchObject({ heir: null });
});

test('who inherits from an heir that is gone inherits all, once what that heir did is here too', () => {
  const closed = [retired(ap, us), retired(us, null, false)];
  expect(inheritanceOf(ap, closed)).toEqual({ heir: null, isReached: false });
  for (const [first, second] of [
    [true, false],
    [false, true],
  ]) {
    const lagging = [retired(ap, us, first), retired(us, eu, second)];
    expect(inheritanceOf(ap, lagging)).toEqual({ heir: eu, isReached: false });
  }
  const third = [retired(ap, us), retired(us, sa), retired(sa, eu)];
  for (const gone of [ap, us, sa]) expect(inheritanceOf(gone, third)).toEqual({ heir: eu, isReached: true });
});
