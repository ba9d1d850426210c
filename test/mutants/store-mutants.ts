/**
 * Mistakes of the path in the adapters that are shipped. The simulator runs the memory ones, so a mutant that it kills there
 * says nothing about Postgres and Kafka: here the contracts of the ports have to notice.
 */
import { type Mutant, suite } from './mutant.ts';

const postgres = 'replication/dist/adapters/postgres';
const localCommit = `${postgres}/local-commit.js`;
const remoteApply = `${postgres}/remote-apply.js`;
const records = suite('test/contract/postgres-record-store.test.ts');

export const storeMutants: readonly Mutant[] = [
  {
    name: 'stale applier not fenced, in Postgres',
    edits: [
      {
        file: `${postgres}/positions.js`,
        from: 'AND position.applied = moved.expected AND',
        to: 'AND',
      },
    ],
    killer: records,
  },
  {
    name: 'applied reported instead of settled, in Postgres',
    edits: [{ file: `${postgres}/positions.js`, from: 'least(applied, open.oldest - 1)', to: 'applied' }],
    killer: records,
  },
  {
    name: 'position after apply in another transaction, in Postgres',
    edits: [
      {
        file: remoteApply,
        from: 'move(transaction),\n        ...plan.calls(),',
        to: "move(transaction),\n        [{ name: 'mutant_commit', text: 'COMMIT' }],\n        [begin],\n        ...plan.calls(),",
      },
      { file: remoteApply, from: 'const [, , , ...answers]', to: 'const [, , , , , ...answers]' },
    ],
    killer: records,
  },
  {
    name: 'write outside the transaction, in Postgres',
    edits: [
      { file: localCommit, from: 'pg_logical_emit_message(true,', to: 'pg_logical_emit_message(false,' },
    ],
    killer: records,
  },
  {
    name: 'reply before durable, in Postgres',
    edits: [
      {
        file: localCommit,
        from: 'const [, ...answers] = await session.pipeline([[begin], ...plan.calls()]);',
        to: "const [, , ...answers] = await session.pipeline([[begin], [{ name: 'isthmus_commit_without_waiting', text: 'SET LOCAL synchronous_commit = off' }], ...plan.calls()]);",
      },
    ],
    killer: records,
  },
  {
    name: 'keepalive end confirmed, in Postgres',
    edits: [
      {
        file: `${postgres}/change-source.js`,
        from: "if (frame.kind === 'keepalive') {",
        to: "if (frame.kind === 'keepalive') {\n            this.#confirmed = frame.end > this.#confirmed ? frame.end : this.#confirmed;",
      },
    ],
    killer: suite('test/contract/change-source.test.ts'),
  },
  {
    name: 'reset to latest, in Kafka',
    edits: [
      {
        file: 'replication/dist/adapters/kafka/subscription.js',
        from: 'cursor.offset = rewoundTo({ beginning, end }, from);',
        to: 'cursor.offset = end;',
      },
    ],
    killer: suite('test/contract/change-sink-feed.test.ts'),
  },
  {
    name: 'physical delete, in Postgres',
    edits: [
      {
        file: `${postgres}/record-locks.js`,
        from: 'return [...updates, ...removal];',
        to: 'const dead = writes.filter(({ state }) => isDead(state)).map(({ index }) => this.#tuples[index]);\n        return dead.length > 0 ? [[deleteRecords, tidArray(dead)], ...updates, ...removal] : [...updates, ...removal];',
      },
    ],
    killer: suite(
      'test/contract/postgres-record-store.test.ts',
      'test/contract/postgres-tombstone-store.test.ts',
    ),
  },
  {
    name: 'refused state forgotten where the log had overtaken the transfer',
    edits: [
      {
        file: 'replication/dist/adapters/refused-places.js',
        from: '(raised.length > 0 ? raised : newest)',
        to: 'raised',
      },
    ],
    killer: suite('test/contract/postgres-transfer-store.test.ts'),
  },
  {
    name: 'past given though a state was refused, in Postgres',
    edits: [
      {
        file: `${postgres}/awaited-past.js`,
        from: 'AND NOT EXISTS (SELECT FROM isthmus.transfer_refused WHERE transfer_refused.transfer = $3)',
        to: '',
      },
    ],
    killer: suite('test/contract/awaited-past.test.ts'),
  },
  {
    name: 'past with a state that was refused not awaited where it opens a life, in Postgres',
    edits: [
      {
        file: `${postgres}/awaited-past.js`,
        from: 'EXISTS (SELECT FROM isthmus.transfer_refused WHERE transfer = $6)',
        to: 'false',
      },
    ],
    killer: suite('test/contract/awaited-past.test.ts'),
  },
  {
    name: 'past that was given awaited again at the start of its life, in Postgres',
    edits: [
      {
        file: `${postgres}/awaited-past.js`,
        from: 'OR incarnation_counter = entry.counter AND incarnation_nonce = entry.nonce',
        to: '',
      },
    ],
    killer: suite('test/contract/awaited-past.test.ts'),
  },
  {
    name: 'past not awaited of a life that somebody else opens',
    edits: [
      {
        file: 'replication/dist/adapters/ungiven-lives.js',
        from: 'return incarnation.counter >',
        to: 'return false && incarnation.counter >',
      },
    ],
    killer: suite('test/contract/awaited-past.test.ts'),
  },
  {
    name: 'beat of an awaited life offered, in Postgres',
    edits: [
      {
        file: `${postgres}/standing.js`,
        from: '!isOneOf(lives, { region, incarnation })',
        to: 'true',
      },
    ],
    killer: suite('test/contract/awaited-past.test.ts'),
  },
  {
    name: 'lives before the one that a transfer opens go on, in Postgres',
    edits: [
      {
        file: `${postgres}/transfer-raise.js`,
        from: 'others.length === 0 ? [] :',
        to: 'true ? [] :',
      },
    ],
    killer: suite('test/contract/awaited-past.test.ts'),
  },
];
