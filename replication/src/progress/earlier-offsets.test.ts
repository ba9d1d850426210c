import { expect, test } from 'vitest';
import { addJump, type Jump, noHistory, offsetMsAt, seekJump, withOwnClockSet } from './earlier-offsets.ts';

/** Beats of a peer whose clock showed the own time until it was set; each arrived `lateMs` after it was made. */
function heard(number: number, lateMs: number, byMs = 0) {
  const madeMs = number * 250;
  return { beat: { number, count: 0, atMs: madeMs + byMs, lsn: 1n, end: 1n }, receivedAtMs: madeMs + lateMs };
}

/** The clock was set by this much; the echo that says so left the peer at 50 s, when beat 200 was made. */
function jump(byMs: number, newest: Jump['heardBeat'], agreedBeat = -1): Jump {
  const told = { toldAtMs: 50_000 + byMs, presentMs: -byMs };
  return { offsetMs: 0, byMs, errorMs: 10, agreedBeat, heardBeat: newest, ...told };
}

test('beats that arrive after the echo, one after the other, were made before a clock was set ahead', () => {
  const found = addJump(noHistory, jump(8000, heard(40, 9000)), []);
  const present = { offsetMs: -8000 };
  expect(offsetMsAt(40, present, found.earlier)).toBe(0);
  const news = { leaps: [], presentMs: -8000 };
  const later = seekJump(found, { ...news, heardBeat: heard(60, 9000) });
  expect([60, 61].map((beat) => offsetMsAt(beat, present, later.earlier))).toEqual([0, -8000]);
  const leap = { afterBeat: 70, byMs: 8000 };
  const end = seekJump(later, { leaps: [leap], heardBeat: heard(90, 9000, 8000), presentMs: -8000 });
  expect([70, 71].map((beat) => offsetMsAt(beat, present, end.earlier))).toEqual([0, -8000]);
  expect(end.sought).toEqual([]);
});

test('beats that may have been made before a clock was set back are not told as younger', () => {
  const found = addJump(noHistory, jump(-2000, heard(40, 20_000)), []);
  const present = { offsetMs: 2000 };
  expect([41, 100, 199].map((beat) => offsetMsAt(beat, present, found.earlier))).toEqual([0, 0, 0]);
  expect(offsetMsAt(210, present, found.earlier)).toBe(2000);
  const leap = { afterBeat: 55, byMs: -2000 };
  const end = seekJump(found, { leaps: [leap], heardBeat: heard(90, 9000, -2000), presentMs: 2000 });
  expect([55, 56].map((beat) => offsetMsAt(beat, present, end.earlier))).toEqual([0, 2000]);
});

test('where a leap was not seen, a clock that was set back is taken to have been so before the first fresh beat', () => {
  const waiting = addJump(noHistory, jump(-8000, heard(198, 4000, -8000)), []);
  const present = { offsetMs: 8000 };
  expect(offsetMsAt(201, present, waiting.earlier)).toBe(0);
  const end = seekJump(waiting, { leaps: [], heardBeat: heard(202, 60, -8000), presentMs: 8000 });
  expect([201, 202].map((beat) => offsetMsAt(beat, present, end.earlier))).toEqual([0, 8000]);
  const sure = seekJump(end, { leaps: [], heardBeat: heard(203, 60, -8000), presentMs: 8000 });
  expect([201, 202].map((beat) => offsetMsAt(beat, present, sure.earlier))).toEqual([0, 8000]);
  expect(sure.sought).toEqual([]);
});

test('an own clock that is set between two fresh beats does not make the second one look late or early', () => {
  const waiting = addJump(noHistory, jump(-8000, heard(198, 4000, -8000)), []);
  const first = seekJump(waiting, { leaps: [], heardBeat: heard(202, 60, -8000), presentMs: 8000 });
  const set = withOwnClockSet(first, -3000);
  const sure = seekJump(set, { leaps: [], heardBeat: heard(203, -2940, -8000), presentMs: 5000 });
  expect(sure).toEqual({ earlier: [{ offsetMs: -3000, untilBeat: 201 }], sought: [] });
});

test('a beat that has waited for as long as the clock was set back looks fresh, until the leap comes behind it', () => {
  const found = addJump(noHistory, jump(-2000, heard(195, 2000)), []);
  const present = { offsetMs: 2000 };
  expect(offsetMsAt(195, present, found.earlier)).toBe(2000);
  const leap = { afterBeat: 199, byMs: -2000 };
  const end = seekJump(found, { leaps: [leap], heardBeat: heard(202, 500, -2000), presentMs: 2000 });
  expect([195, 199, 200].map((beat) => offsetMsAt(beat, present, end.earlier))).toEqual([0, 0, 2000]);
});

test('a clock that was set back and ahead in one silence was set once', () => {
  const silent = heard(40, 60);
  const back = addJump(noHistory, jump(-4000, silent), []);
  const both = { ...jump(8000, silent), offsetMs: 4000, toldAtMs: 54_000, presentMs: -4000 };
  const ahead = addJump(back, both, []);
  const present = { offsetMs: -4000 };
  expect([40, 41, 199].map((beat) => offsetMsAt(beat, present, ahead.earlier))).toEqual([0, -4000, -4000]);
  const leap = { afterBeat: 40, byMs: 12_000 };
  const end = seekJump(ahead, { leaps: [leap], heardBeat: heard(41, 60), presentMs: -4000 });
  expect(end).toEqual({ earlier: [{ offsetMs: 0, untilBeat: 40 }], sought: [] });
  const undone = addJump(back, { ...jump(4000, silent), offsetMs: 4000, presentMs: 0 }, []);
  expect(undone).toEqual(noHistory);
});

test('a clock that was set back, further back and ahead again in one silence was set once', () => {
  const silent = heard(40, 60);
  const once = addJump(noHistory, jump(-4000, silent), []);
  const further = { ...jump(-3000, silent), offsetMs: 4000, toldAtMs: 43_000, presentMs: 7000 };
  const twice = addJump(once, further, []);
  const undone = addJump(twice, { ...jump(3000, silent), offsetMs: 7000, presentMs: 4000 }, []);
  expect(undone, 'the first time is still to be found').toEqual(once);
  const all = { ...jump(9000, silent), offsetMs: 7000, toldAtMs: 52_000, presentMs: -2000 };
  const ahead = addJump(twice, all, []);
  const leap = { afterBeat: 40, byMs: 14_000 };
  const end = seekJump(ahead, { leaps: [leap], heardBeat: heard(41, 60, 2000), presentMs: -2000 });
  const present = { offsetMs: -2000 };
  expect([40, 41].map((beat) => offsetMsAt(beat, present, end.earlier))).toEqual([0, -2000]);
});

test('a clock that was set ahead twice in one silence was set for the last time before the next beat', () => {
  const silent = heard(40, 60);
  const once = addJump(noHistory, jump(4000, silent), []);
  const twice = { ...jump(8000, silent), offsetMs: -4000, toldAtMs: 62_000, presentMs: -12_000 };
  const sought = addJump(once, twice, []);
  const leap = { afterBeat: 40, byMs: 21_000 };
  const end = seekJump(sought, { leaps: [leap], heardBeat: heard(41, 60, 12_000), presentMs: -12_000 });
  const present = { offsetMs: -12_000 };
  expect([40, 41].map((beat) => offsetMsAt(beat, present, end.earlier))).toEqual([0, -12_000]);
  expect(end.sought).toEqual([]);
});

test('a clock that was set back twice in one silence was so before the first fresh beat', () => {
  const silent = heard(40, 60);
  const once = addJump(noHistory, jump(-4000, silent), []);
  const twice = { ...jump(-3000, silent), offsetMs: 4000, toldAtMs: 43_000, presentMs: 7000 };
  const sought = addJump(once, twice, []);
  const present = { offsetMs: 7000 };
  expect([40, 41].map((beat) => offsetMsAt(beat, present, sought.earlier))).toEqual([0, 0]);
  const first = seekJump(sought, { leaps: [], heardBeat: heard(42, 60, -7000), presentMs: 7000 });
  const end = seekJump(first, { leaps: [], heardBeat: heard(43, 60, -7000), presentMs: 7000 });
  expect([41, 42, 43].map((beat) => offsetMsAt(beat, present, end.earlier))).toEqual([0, 7000, 7000]);
});

test('the leap of a clock that was set back is not that of the next time', () => {
  const leap = { afterBeat: 55, byMs: -2000 };
  const once = addJump(noHistory, jump(-2000, heard(90, 9000, -2000)), [leap]);
  const twice = { ...jump(-3000, heard(90, 9000, -2000)), offsetMs: 2000, presentMs: 5000 };
  const sought = addJump(once, twice, [leap]);
  const later = seekJump(sought, { leaps: [leap], heardBeat: heard(91, 9000, -2000), presentMs: 5000 });
  const present = { offsetMs: 5000 };
  expect([55, 56, 92].map((beat) => offsetMsAt(beat, present, later.earlier))).toEqual([0, 2000, 2000]);
});

test('a silence while a clock is set back hides part of the leap', () => {
  const leap = { afterBeat: 150, byMs: -600 };
  const found = addJump(noHistory, jump(-8000, heard(198, 4000, -8000)), [leap]);
  expect(found).toEqual({ earlier: [{ offsetMs: 0, untilBeat: 150 }], sought: [] });
});

test('a silence before the last echo that showed the offset of before is not taken for a clock that was set ahead', () => {
  const silence = { afterBeat: 100, byMs: 7000 };
  const present = { offsetMs: -8000 };
  const misled = addJump(noHistory, jump(8000, heard(198, 500)), [silence]);
  expect([100, 101, 190].map((beat) => offsetMsAt(beat, present, misled.earlier))).toEqual([0, -8000, -8000]);
  const known = addJump(noHistory, jump(8000, heard(198, 500), 190), [silence]);
  expect([100, 101, 198].map((beat) => offsetMsAt(beat, present, known.earlier))).toEqual([0, 0, 0]);
  const leap = { afterBeat: 190, byMs: 8000 };
  const found = addJump(noHistory, jump(8000, heard(198, 500, 8000), 190), [silence, leap]);
  expect(found).toEqual({ earlier: [{ offsetMs: 0, untilBeat: 190 }], sought: [] });
});

test('a clock that was set back twice in a silence tells the beats from after it by the present offset', () => {
  const after = (number: number, madeMs: number): Jump['heardBeat'] => ({
    beat: { number, count: 0, atMs: madeMs - 10_000, lsn: 1n, end: 1n },
    receivedAtMs: madeMs + 60,
  });
  const waiting = addJump(noHistory, jump(-8000, heard(40, 20_000)), []);
  const second = { ...jump(-2000, after(100, 52_000)), offsetMs: 8000, toldAtMs: 42_100, presentMs: 10_000 };
  const both = addJump(waiting, second, []);
  const present = { offsetMs: 10_000 };
  expect(offsetMsAt(100, present, both.earlier), 'as old as it may be, while it is sought').toBe(0);
  const sure = seekJump(both, { leaps: [], heardBeat: after(101, 52_250), presentMs: 10_000 });
  expect([99, 100, 101].map((beat) => offsetMsAt(beat, present, sure.earlier))).toEqual([0, 10_000, 10_000]);
  expect(sure.sought).toEqual([]);
});

test('the leap of a clock that was set ahead is found by an echo that was long on its way, and no beat is told as too young', () => {
  const leap = { afterBeat: 23, byMs: 10_000 };
  const present = { offsetMs: -10_000 };
  const badly = { ...jump(6000, heard(69, 900, 10_000), 23), errorMs: 3700 };
  const found = addJump(noHistory, badly, [{ afterBeat: 8, byMs: 10_000 }, leap]);
  expect([23, 24, 69].map((beat) => offsetMsAt(beat, present, found.earlier))).toEqual([0, -10_000, -10_000]);
  expect(found.sought).toEqual([]);
  const silence = addJump(noHistory, { ...badly, errorMs: 10 }, [leap]);
  expect(silence.sought.length, 'by an echo that says more it is a silence').toBe(1);
});

test('a clock that was ahead for a few beats is not taken for one that was set back by more', () => {
  const waiting = addJump(noHistory, jump(-8000, heard(78, 60, -8000), 77), []);
  const leaps = [
    { afterBeat: 36, byMs: 2000 },
    { afterBeat: 39, byMs: -2000 },
    { afterBeat: 73, byMs: -7990 },
  ];
  const found = seekJump(waiting, { leaps, heardBeat: heard(79, 60, -8000), presentMs: 8000 });
  expect(found).toEqual({ earlier: [{ offsetMs: 0, untilBeat: 73 }], sought: [] });
});
