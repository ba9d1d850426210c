/** Stamps in bytes, the stamp that follows another one, and the life of hybrid logical clocks. */
import { HybridClock } from '../clock/hybrid-clock.ts';
import { nextStamp, type Stamp } from '../clock/stamp.ts';
import { hexOf } from '../fuzz/hex.ts';
import { stampText } from '../record/entry.ts';
import type { VectorFile } from './vector-file.ts';

const end: Stamp = { ms: 2 ** 48 - 1, logical: 0xffff };
const stamps: readonly Stamp[] = [
  { ms: 0, logical: 0 },
  { ms: 0, logical: 1 },
  { ms: 255, logical: 0 },
  { ms: 1_700_000_000_000, logical: 0 },
  { ms: 1_700_000_000_000, logical: 1 },
  { ms: 1_700_000_000_000, logical: 255 },
  { ms: 1_700_000_000_000, logical: 256 },
  { ms: 1_700_000_000_000, logical: 0xffff },
  { ms: 2 ** 48 - 1, logical: 0 },
  end,
];
const following: readonly (readonly [number, Stamp | null])[] = [
  [5, null],
  [9, { ms: 5, logical: 3 }],
  [5, { ms: 5, logical: 3 }],
  [1, { ms: 5, logical: 3 }],
  [1, { ms: 5, logical: 0xffff }],
  [6, { ms: 5, logical: 0xffff }],
  [1, { ms: 2 ** 48 - 1, logical: 7 }],
  [1, end],
];

/** A reading of the wall clock to send at, or a remote stamp with one. */
type Step = number | readonly [remote: Stamp, nowMs: number];

const lives: readonly { readonly beyondDrift: 'reject' | 'quarantine'; readonly steps: readonly Step[] }[] = [
  { beyondDrift: 'reject', steps: [100, 100, 99, 101, 101] },
  {
    beyondDrift: 'reject',
    steps: [100, [{ ms: 150, logical: 4 }, 100], 100, [{ ms: 151, logical: 0 }, 100], 100],
  },
  {
    beyondDrift: 'quarantine',
    steps: [[{ ms: 500, logical: 0 }, 100], 100, [{ ms: 50, logical: 9 }, 200], 200],
  },
  { beyondDrift: 'reject', steps: [[{ ms: 100, logical: 0xffff }, 100], 100, 100] },
];
const maxDriftMs = 50;

export function stampVectors(): VectorFile {
  const encoded = stamps.map((stamp) => ({
    stamp,
    hex: hexOf(Uint8Array.from(stampText(stamp), (character) => character.charCodeAt(0))),
  }));
  const next = following.map(([nowMs, highest]) => ({ nowMs, highest, next: nextStamp(nowMs, highest) }));
  return {
    name: 'stamps',
    about:
      'stamp and hex: a stamp and its bytes; nowMs, highest and next: the stamp of an edit at a time, above another',
    vectors: [...encoded, ...next],
  };
}

export function clockVectors(): VectorFile {
  return {
    name: 'clocks',
    about:
      'steps of a new clock each: sent at nowMs with its stamp, or received at nowMs with what came of it',
    common: { maxDriftMs },
    vectors: lives.map(({ beyondDrift, steps }) => {
      const clock = new HybridClock({ maxDriftMs, beyondDrift });
      return { beyondDrift, steps: steps.map((step) => stepOf(clock, step)) };
    }),
  };
}

function stepOf(clock: HybridClock, step: Step): object {
  if (typeof step === 'number') return { nowMs: step, sent: clock.send(step) };
  const [received, nowMs] = step;
  return { nowMs, received, ...clock.receive(received, nowMs) };
}
