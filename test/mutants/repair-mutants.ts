/** Mistakes in what moves state outside the log and in what forgets it: transfers, barriers, the collection. */
import { type Mutant, seeds, suite } from './mutant.ts';

const engine = 'replication/dist';
const sources = 'replication/src';

export const repairMutants: readonly Mutant[] = [
  {
    name: 'transfer before publish',
    edits: [
      {
        file: `${sources}/transfer/offer.ts`,
        from: 'if (published === null || published.through < insertLsn)',
        to: 'if (published === null)',
      },
    ],
    killer: suite('replication/src/transfer/offer.test.ts'),
  },
  {
    name: 'flush LSN as snapshot position',
    edits: [
      {
        file: `${engine}/adapters/postgres/standing.js`,
        from: 'WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY',
        to: 'WHERE lsn <= pg_current_wal_flush_lsn() ORDER BY',
      },
    ],
    killer: suite('test/contract/postgres-transfer-store.test.ts'),
  },
  {
    name: 'snapshot not fenced',
    edits: [
      {
        file: `${sources}/transfer/receiver-machine.ts`,
        from: 'before === null ? offer.vector : leastOf(before, offer.vector)',
        to: 'before === null ? offer.vector : leastOf(offer.vector, offer.vector)',
      },
    ],
    killer: suite('replication/src/transfer/receiver-machine.test.ts'),
  },
  {
    name: "horizon checked only at a transfer's start",
    edits: [
      {
        file: `${sources}/transfer/merge-states.ts`,
        from: 'if (lacking(vector, horizon) !== null) return null;',
        to: '',
      },
      {
        file: `${sources}/transfer/merge-states.ts`,
        from: 'return lacking(vector, horizon) === null ? letters.map(mayClose) : null;',
        to: 'void horizon; void vector; return letters.map(mayClose);',
      },
    ],
    killer: suite('replication/src/transfer/merge-states.test.ts'),
  },
  {
    name: 'digests without contexts in transfer',
    edits: [
      {
        file: `${sources}/record-hash.ts`,
        from: "import { createHash } from 'node:crypto';",
        to: "import { createHash } from 'node:crypto';\nimport { liveHash } from '@isthmus/conflict';",
      },
      {
        file: `${sources}/record-hash.ts`,
        from: 'hash.update(state)',
        to: 'hash.update(liveHash(state, key))',
      },
    ],
    killer: suite('replication/src/record-hash.test.ts'),
  },
  {
    name: 'generation closed without waiting',
    edits: [
      {
        file: `${engine}/adapters/postgres/tombstone-store.js`,
        from: 'return booleanAt((await this.#connections.query(selectEnded, mark.toString())).rows[0] ?? [], 0);',
        to: 'return mark >= 0n;',
      },
    ],
    killer: suite('test/contract/postgres-tombstone-store.test.ts'),
  },
  {
    name: 'one barrier instead of two',
    edits: [
      {
        file: `${engine}/tombstones/barriers.js`,
        from: 'this.#collector.run(number - 1)',
        to: 'this.#collector.run(number)',
      },
    ],
    killer: suite('test/integration/barriers.test.ts'),
  },
  {
    name: 'early tombstone collection',
    edits: [
      {
        file: `${sources}/tombstones/barrier-machine.ts`,
        from: 'if (!isCoveredHere || covered.size < members.length)',
        to: 'if (!isCoveredHere)',
      },
    ],
    killer: suite('replication/src/tombstones/barrier-machine.test.ts'),
  },
  {
    name: 'physical delete',
    edits: [
      {
        file: `${engine}/adapters/memory/record-store.js`,
        from: "import { hasSiblings } from '@isthmus/conflict';",
        to: "import { hasSiblings, isDead } from '@isthmus/conflict';",
      },
      {
        file: `${engine}/adapters/memory/record-store.js`,
        from: 'const { collection, key, state } = record;',
        to: 'const { collection, key, state } = record;\n        if (isDead(state))\n            return void this.#records.delete(nameOf(record));',
      },
    ],
    killer: seeds,
  },
  {
    name: 'first write before its peers',
    edits: [
      {
        file: `${engine}/guard/joining.js`,
        from: 'const isDone = awaited === null ||',
        to: 'const isDone = true || awaited === null ||',
      },
    ],
    killer: seeds,
  },
  {
    name: 'first write before what a peer had written in an earlier life',
    edits: [
      {
        file: `${engine}/guard/joining.js`,
        from: 'count === 0 && incarnation.counter === 1',
        to: 'count === 0',
      },
      {
        file: `${engine}/written-mark.js`,
        from: 'incarnation.counter === 1',
        to: 'true',
      },
    ],
    killer: suite('test/simulation/joining.test.ts'),
  },
  {
    name: 'given up and closed without a transfer',
    edits: [
      {
        file: `${engine}/adapters/postgres/dead-letter-store.js`,
        from: "CASE WHEN $8 = 'lost' THEN clock_timestamp() END",
        to: 'clock_timestamp()',
      },
    ],
    killer: suite('test/contract/incidents-and-letters.test.ts'),
  },
  {
    name: 'given up and closed though its record was refused',
    edits: [
      {
        file: `${sources}/transfer/merge-states.ts`,
        from: 'letter.isGivenUp && !letter.isRefused',
        to: 'letter.isGivenUp',
      },
    ],
    killer: suite('replication/src/transfer/merge-states.test.ts'),
  },
  {
    name: 'a wish said twice forgets whose the drain is',
    edits: [
      {
        file: `${engine}/adapters/postgres/refill-store.js`,
        from: "CASE WHEN old.state = 'securing' THEN old.was_drained ELSE excluded.was_drained END",
        to: 'excluded.was_drained',
      },
    ],
    killer: suite('test/contract/refill-store.test.ts'),
  },
  {
    name: 'a later life counted before its past is fetched',
    edits: [
      {
        file: `${engine}/adapters/postgres/beat-store.js`,
        from: 'isOneOf(lives, { region, incarnation }) ? { ...row, beat: null } : row',
        to: 'row',
      },
    ],
    killer: suite('test/contract/awaited-past.test.ts'),
  },
  {
    name: 'a past given by an earlier life taken for all of it',
    edits: [
      {
        file: `${engine}/adapters/postgres/awaited-past.js`,
        from: 'AND incarnation_counter <= given.counter',
        to: '',
      },
    ],
    killer: suite('test/contract/awaited-past.test.ts'),
  },
  {
    name: 'testimony of peers not believed',
    edits: [
      {
        file: `${sources}/identity/other-beats.ts`,
        from: 'if (beat.number > own)',
        to: 'if (beat.number > own * 1000)',
      },
    ],
    killer: suite('replication/src/identity/peer-evidence.test.ts'),
  },
  {
    name: 'peers are not asked who else writes',
    edits: [
      {
        file: `${sources}/identity/peer-lives.ts`,
        from: 'now.number > before.number',
        to: 'now.number < before.number',
      },
    ],
    killer: suite('replication/src/identity/own-log-evidence.test.ts'),
  },
  {
    name: 'a sweep that finds nothing',
    edits: [
      {
        file: `${engine}/transfer/suspects.js`,
        from: "return isSame(ours, other) ? 'equal' : 'differs';",
        to: "return 'equal';",
      },
    ],
    killer: suite('test/simulation/repairs.test.ts'),
  },
  {
    name: 'a divergence that is found and not fetched',
    edits: [
      {
        file: `${engine}/transfer/sweeper.js`,
        from: 'if (mendable === 0)',
        to: 'if (mendable >= 0)',
      },
    ],
    killer: suite('test/simulation/repairs.test.ts'),
  },
  {
    name: 'a past that a transfer does not bring not awaited',
    edits: [
      {
        file: `${engine}/adapters/memory/transfer-store.js`,
        from: 'awaitUncounted(this.#tables, life)',
        to: 'void life',
      },
    ],
    killer: suite('test/simulation/repairs.test.ts'),
  },
  {
    name: 'peers not asked again before a database is emptied',
    edits: [
      {
        file: `${sources}/refill/refiller.ts`,
        from: 'this.#options.confirmFirst(() => this.#confirm());',
        to: 'this.#options.confirmFirst(async () => {});',
      },
    ],
    killer: suite('replication/src/refill/refiller.test.ts'),
  },
  {
    name: 'what an earlier life had not published taken for safe',
    edits: [
      {
        file: `${sources}/refill/judge-refill.ts`,
        from: '...ownEntries(self, ownThrough)], unpublished(view));',
        to: '...ownEntries(self, ownThrough)], []);',
      },
    ],
    killer: suite('replication/src/refill/judge-refill.test.ts'),
  },
  {
    name: 'a past learnt without a peer that can give nothing',
    edits: [
      {
        file: `${sources}/identity/relearning-judge.ts`,
        from: 'if (failing.length > 0)',
        to: 'if (failing.length < 0)',
      },
    ],
    killer: suite('replication/src/identity/relearning-judge.test.ts'),
  },
  {
    name: 'a restored server vouches for its whole log',
    edits: [
      {
        file: `${sources}/sessions/session.ts`,
        from: 'entry.lsn <= place.ownThrough',
        to: 'entry.lsn <= place.insertLsn',
      },
    ],
    killer: suite('replication/src/sessions/session.test.ts'),
  },
  {
    name: 'covered is said of more than is noted',
    edits: [
      {
        file: `${sources}/tombstones/barrier-answers.ts`,
        from: 'entry.lsn > this.#noted',
        to: 'entry.lsn < 0n',
      },
    ],
    killer: suite('replication/src/tombstones/barrier-answers.test.ts'),
  },
  {
    name: 'one lost answer uses up the patience',
    edits: [
      {
        file: `${sources}/identity/past-survey.ts`,
        from: 'this.#isPatienceOver = isLast;',
        to: 'this.#isPatienceOver = this.#options.timer.monotonicMs() - this.#patientSinceMs >= patienceMs;',
      },
    ],
    killer: suite('replication/src/identity/past-survey.test.ts'),
  },
];
