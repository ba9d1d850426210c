/** Mistakes on the way of a change from its commit to a peer: relay, log, applier, positions, identity. */
import { type Mutant, seeds, suite } from './mutant.ts';

const engine = 'replication/dist';
const sources = 'replication/src';
const store = `${engine}/adapters/memory/record-store.js`;
const locks = `${engine}/adapters/postgres/record-locks.js`;

export const pathMutants: readonly Mutant[] = [
  {
    name: 'no dedupe',
    edits: [
      {
        file: `${engine}/applier/collect.js`,
        from: 'record.changes.filter((change) => change.lsn > before.applied)',
        to: 'record.changes',
      },
    ],
    killer: seeds,
  },
  {
    name: 'no gap check',
    edits: [
      {
        file: `${engine}/applier/reading.js`,
        from: 'if (record.from <= reading.applied)',
        to: 'if (record.to > reading.applied)',
      },
    ],
    killer: seeds,
  },
  {
    name: 'gap without reading again',
    edits: [
      {
        file: `${engine}/applier/reading.js`,
        from: "if (reading.kind === 'live')\n        return { kind: 'reread' };",
        to: '',
      },
    ],
    killer: seeds,
  },
  {
    name: 'reset to latest',
    edits: [
      {
        file: `${engine}/adapters/memory/change-feed.js`,
        from: 'this.#offsets[partition] = rewoundTo({ beginning, end }, from);',
        to: 'this.#offsets[partition] = end;',
      },
    ],
    killer: seeds,
  },
  {
    name: "interval taken from the log's tail",
    edits: [
      {
        file: `${engine}/relay/relay.js`,
        from: 'startPacking(identity, stream.start, count)',
        to: 'startPacking(identity, this.tail ?? stream.start, count)',
      },
      {
        file: `${engine}/relay/relay.js`,
        from: 'packing = packed.next;',
        to: 'packing = packed.next; this.tail = packing.lastTo[0];',
      },
    ],
    killer: seeds,
  },
  {
    name: 'ack before durable',
    edits: [
      {
        file: `${engine}/relay/relay.js`,
        from: 'await this.#publish(packed.records);\n                acknowledger.published(packed.beats);',
        to: 'acknowledger.published(packed.beats);\n                await this.#publish(packed.records);',
      },
    ],
    killer: seeds,
  },
  {
    name: 'count confirmed before it is durable',
    edits: [
      {
        file: `${engine}/relay/acknowledger.js`,
        from: 'await this.#store.storePublished(beats);',
        to: 'this.#confirm(newest.end); await this.#store.storePublished(beats);',
      },
    ],
    killer: seeds,
  },
  {
    name: 'a publish in doubt not repeated',
    edits: [
      {
        file: `${engine}/relay/relay.js`,
        from: 'if (!(reason instanceof ReplicationError) || !reason.retriable)',
        to: 'if (reason instanceof ReplicationError) return; if (true)',
      },
    ],
    killer: seeds,
  },
  {
    name: 'a beat in changed partitions only',
    edits: [
      {
        file: `${engine}/relay/packer.js`,
        from: 'if (changes.length === 0 && beats.length === 0)',
        to: 'if (changes.length === 0)',
      },
    ],
    killer: seeds,
  },
  {
    name: 'a change beside its commit',
    edits: [
      {
        file: `${engine}/relay/packer.js`,
        from: 'key, delta, lsn, index }',
        to: 'key, delta, lsn: lsn - 1n, index }',
      },
    ],
    killer: seeds,
  },
  {
    name: 'keepalive end confirmed',
    edits: [
      {
        file: `${engine}/adapters/memory/change-source.js`,
        from: 'this.#database.wal.confirm(end);',
        to: 'this.#database.wal.confirm(this.#database.wal.insert);',
      },
    ],
    killer: seeds,
  },
  {
    name: 'reply before durable',
    edits: [
      {
        file: store,
        from: 'const end = this.#database.transact(true,',
        to: 'const end = this.#database.transact(false,',
      },
    ],
    killer: seeds,
  },
  {
    name: 'write outside the transaction',
    edits: [
      {
        file: store,
        from: 'const end = this.#database.transact(true, (emission) => {\n            this.#write(ids, writes);',
        to: 'this.#database.transact(true, () => this.#write(ids, writes));\n        const end = this.#database.transact(false, (emission) => {',
      },
    ],
    killer: seeds,
  },
  {
    name: 'position after apply in another transaction',
    edits: [
      {
        file: store,
        from: 'this.#database.transact(false, () => {\n            this.#write(ids, writes);',
        to: 'this.#database.transact(true, () => this.#move(origin, positions));\n        this.#database.transact(false, () => {\n            this.#write(ids, writes);',
      },
    ],
    killer: seeds,
  },
  {
    // What is absent is read as empty, and put there over whatever somebody else has created meanwhile.
    name: 'no placeholder before locking',
    edits: [
      {
        file: locks,
        from: 'ON CONFLICT DO NOTHING`',
        to: 'ON CONFLICT (collection, key) DO UPDATE SET gen = record.gen RETURNING ctid::text, key, collection`',
      },
      {
        file: locks,
        from: 'SELECT ctid::text, state FROM',
        to: 'SELECT ctid::text, state, key, collection FROM',
      },
      {
        file: locks,
        from: 'return this.#withPlaceholders\n            ? [this.#placeholders(), ...locks, [selectFloor]]\n            : [...locks, [selectFloor]];',
        to: 'return [...locks, this.#placeholders(), [selectFloor]];',
      },
      {
        file: locks,
        from: 'const placed = this.#withPlaceholders && this.#order.length > 0 ? answers[0] : undefined;\n        const locked = answers.slice(placed === undefined ? 0 : 1, -1).flatMap((answer) => answer.rows);',
        to: `const placed = this.#order.length > 0 ? answers.at(-2) : undefined;
        const seen = answers.slice(0, -2).flatMap((answer) => answer.rows);
        const names = this.#groups.flatMap(({ collection, keys }) => keys.map((key) => [key, collection]));
        const locked = names.map(([key, collection]) => [
          placed?.rows.find((row) => row[1] === key && row[2] === collection)?.[0],
          seen.find((row) => row[2] === key && row[3] === collection)?.[1] ?? Buffer.alloc(0),
        ]);`,
      },
    ],
    killer: suite('test/contract/postgres-record-store.test.ts'),
  },
  {
    name: 'stale applier not fenced',
    edits: [{ file: store, from: '|| !positions.every(stand))', to: '|| rows.length === 0)' }],
    killer: seeds,
  },
  {
    name: 'applied reported instead of settled',
    edits: [
      {
        file: `${engine}/adapters/memory/position-rows.js`,
        from: 'const reach = oldest === null || oldest > applied ? applied : oldest - 1n;',
        to: 'oldest = null; const reach = applied;',
      },
    ],
    killer: seeds,
  },
  {
    name: 'progress told before it is durable',
    edits: [
      {
        file: `${engine}/progress/progress-publisher.js`,
        from: 'await beats.storeHeard(heard)',
        to: '(await beats.overview()).positions',
      },
    ],
    killer: seeds,
  },
  {
    name: 'skip poison',
    edits: [
      {
        file: `${engine}/applier/batch.js`,
        from: 'deadLetters.push(deadLetterOf(shared, attempt));',
        to: '',
      },
    ],
    killer: seeds,
  },
  {
    name: 'impossible name let in',
    edits: [{ file: `${engine}/bytes.js`, from: "if (text.includes('\\0'))", to: 'if (false)' }],
    killer: seeds,
  },
  {
    name: 'identity checked by LSN only',
    edits: [
      {
        file: `${sources}/identity/own-log-proof.ts`,
        from: '(await this.#checkBeats(judged.beats)) ?? (await this.#checkChanges(judged.changes))',
        to: 'null',
      },
      {
        file: `${sources}/identity/own-log-proof.ts`,
        from: 'reason ?? (await this.#checkProgress())',
        to: 'reason',
      },
    ],
    killer: suite('replication/src/identity/own-log-proof.test.ts'),
  },
  {
    name: 'actor reused after restore',
    edits: [
      {
        file: `${engine}/identity/identity-guard.js`,
        from: "if (verdict.kind !== 'continues')",
        to: 'if (false)',
      },
    ],
    killer: seeds,
  },
  {
    name: 'a journal that closes on those who wait for company',
    edits: [
      {
        file: 'replication/src/journal/journal.ts',
        from: 'if (this.#closed || callers === 0',
        to: 'if (callers === 0',
      },
    ],
    killer: suite('replication/src/journal/pacing.test.ts'),
  },
  {
    name: 'a busy process that commits as often as an idle one',
    edits: [
      {
        file: 'replication/src/journal/journal.ts',
        from: 'if (leftMs < shortestPauseMs) return false;',
        to: 'if (leftMs < Infinity) return false;',
      },
    ],
    killer: suite('replication/src/journal/pacing.test.ts'),
  },
];
