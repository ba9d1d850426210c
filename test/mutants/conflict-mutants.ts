/** Mistakes in who wins: stamps, dots, joins, counters, bytes. */
import { type Mutant, seeds, suite } from './mutant.ts';

const built = 'conflict/dist';
const sources = 'conflict/src';

export const conflictMutants: readonly Mutant[] = [
  {
    name: 'wall clock instead of hybrid clock',
    edits: [
      {
        file: `${built}/record/draft.js`,
        from: 'nextStamp(writer.nowMs, laterOf(highestStamp(entries), floorMs))',
        to: 'nextStamp(writer.nowMs, null)',
      },
    ],
    killer: seeds,
  },
  {
    name: 'clock not merged on receive',
    edits: [
      {
        file: `${sources}/clock/hybrid-clock.ts`,
        from: 'if (this.#last === null || orderOf(stamp, this.#last) > 0) this.#last = stamp;',
        to: 'void orderOf;',
      },
    ],
    killer: suite('conflict/src/clock/clock.test.ts'),
  },
  {
    name: 'no tie-break',
    edits: [
      {
        file: `${sources}/record/join.ts`,
        from: 'return mine.payload < theirs.payload ? theirs : mine;',
        to: 'void theirs; return mine;',
      },
    ],
    killer: suite('conflict/src/record', 'conflict/src/vectors'),
  },
  {
    name: 'arrival order wins',
    edits: [
      {
        file: `${built}/record/merge.js`,
        from: 'const walked = byteMerge(state, delta);',
        to: 'const walked = null;',
      },
      {
        file: `${built}/record/join.js`,
        from: 'const others = new Map(b.entries',
        to: 'a = { ...a, entries: a.entries.filter(({ key, tag }) => isSlot({ tag }) || !b.entries.some((entry) => entry.key === key)) };\n    const others = new Map(b.entries',
      },
    ],
    killer: seeds,
  },
  {
    name: 'last-writer-wins counter',
    edits: [
      {
        file: `${built}/types/counter.js`,
        from: 'exactSum(slots.map(balanceOf))',
        to: 'Math.max(0, ...slots.map(balanceOf))',
      },
    ],
    killer: seeds,
  },
  {
    name: 'bounded counter on the global value',
    edits: [
      {
        file: `${built}/types/bounded-counter.js`,
        from: 'const have = heldIn(accountOf(place, draft.actor));',
        to: 'const have = exactSum([...accountsAt(place).values()].map(rightsOf));',
      },
    ],
    killer: seeds,
  },
  {
    name: 'dots restarted after collection',
    edits: [
      {
        file: `${built}/record/draft.js`,
        from: 'Math.max(last, floor) + 1',
        to: 'last + 1',
      },
    ],
    killer: seeds,
  },
  {
    name: 'non-canonical bytes',
    edits: [
      {
        file: `${sources}/record/decoded-record.ts`,
        from: 'of sorted(entries, compareEntries))',
        to: 'of entries)',
      },
    ],
    killer: suite('conflict/src/record', 'conflict/src/vectors'),
  },
  {
    name: 'unknown field dropped',
    edits: [
      {
        file: `${sources}/record/decoded-record.ts`,
        from: 'entries.push(entry);',
        to: 'if (entry.tag <= tagExtended) entries.push(entry);',
      },
    ],
    killer: suite('conflict/src/record/merge.test.ts', 'conflict/src/vectors'),
  },
];
