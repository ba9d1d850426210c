/** Mistakes in the figures that a region shows of its lag, its backlog and its RPO. */
import { type Mutant, seeds, suite } from './mutant.ts';

const engine = 'replication/dist';

export const figureMutants: readonly Mutant[] = [
  {
    name: 'lag unknown while it is long',
    edits: [
      {
        file: `${engine}/progress/lag.js`,
        from: 'return lagMs === null ? null : Math.max(0, lagMs) / 1000;',
        to: 'return lagMs === null || lagMs > 10_000 ? null : Math.max(0, lagMs) / 1000;',
      },
    ],
    killer: seeds,
  },
  {
    name: 'lag too high by two seconds',
    edits: [
      {
        file: `${engine}/progress/lag.js`,
        from: 'return lagMs === null ? null : Math.max(0, lagMs) / 1000;',
        to: 'return lagMs === null ? null : Math.max(0, lagMs) / 1000 + 2;',
      },
    ],
    killer: seeds,
  },
  {
    name: 'RPO unknown while it is long',
    edits: [
      {
        file: `${engine}/progress/rpo.js`,
        from: 'if (age === null)',
        to: 'if (age === null || age > 10_000)',
      },
    ],
    killer: seeds,
  },
  {
    name: 'RPO too high when all is well',
    edits: [
      {
        file: `${engine}/progress/rpo.js`,
        from: 'return { seconds: age / 1000, changes',
        to: 'return { seconds: age / 1000 + 5, changes',
      },
    ],
    killer: seeds,
  },
  {
    name: 'RPO in changes a tenth too low',
    edits: [
      {
        file: `${engine}/progress/rpo.js`,
        from: 'return missing === null || missing < 0 ? null : missing;',
        to: 'return missing === null || missing < 0 ? null : Math.floor(0.9 * missing);',
      },
    ],
    killer: seeds,
  },
  {
    name: 'backlog of nothing',
    edits: [
      {
        file: `${engine}/progress/lag.js`,
        from: 'return missing === null ? null : Math.max(0, missing);',
        to: 'return missing === null ? null : 0;',
      },
    ],
    killer: seeds,
  },
  {
    name: 'backlog a tenth too low',
    edits: [
      {
        file: `${engine}/progress/lag.js`,
        from: 'return missing === null ? null : Math.max(0, missing);',
        to: 'return missing === null ? null : Math.floor(0.9 * Math.max(0, missing));',
      },
    ],
    killer: seeds,
  },
  {
    name: 'a peer heard when the clock had once gone furthest',
    edits: [
      {
        file: `${engine}/adapters/memory/beat-store.js`,
        from: 'heardAtMs: wasBefore ? known.heardAtMs : told.heardAtMs,',
        to: 'heardAtMs: Math.max(known.heardAtMs, told.heardAtMs),',
      },
    ],
    killer: suite('test/contract/memory-database.test.ts'),
  },
  {
    name: 'backlog of all that was ever written',
    edits: [
      {
        file: `${engine}/progress/lag.js`,
        from: 'const missing = changesBetween(settled, Math.max(...counts));',
        to: 'const missing = Math.max(...counts);',
      },
    ],
    killer: seeds,
  },
  {
    name: 'a counted beat told by the clock of its time',
    edits: [
      {
        file: `${engine}/adapters/memory/beats.js`,
        from: 'atMs: unsetMs(row) - this.#setBackMs',
        to: 'atMs: row.atMs',
      },
    ],
    killer: suite('test/contract/memory-database.test.ts'),
  },
  {
    name: 'no time since a beat that its writer has not seen',
    edits: [
      {
        file: `${engine}/adapters/memory/beats.js`,
        from: 'unsetMs(before) + (passedMs ?? untoldMs)',
        to: 'unsetMs(before)',
      },
    ],
    killer: suite('test/contract/memory-database.test.ts'),
  },
  {
    name: 'a process that stands by looks at no beats',
    edits: [
      {
        file: `${engine}/replicator.js`,
        from: 'await beats.look();',
        to: 'await Promise.resolve();',
      },
    ],
    killer: suite('test/simulation/clock-set-back.test.ts'),
  },
  {
    name: 'a beat taken for younger than the look before it though it may have been on its way',
    edits: [
      {
        file: 'replication/src/adapters/beat-clock.ts',
        from: 'look.number + 2 <= number',
        to: 'look.number + 1 <= number',
      },
    ],
    killer: suite('replication/src/adapters/beat-clock.test.ts'),
  },
];
