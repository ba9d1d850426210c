/**
 * Ways to break the engine, each a few replacements in one built file. A mutant stands for a mistake that somebody could
 * really make; its name says which.
 */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly edits: readonly (readonly [from: string, to: string])[];
}

const engine = 'replication/dist';
const store = `${engine}/adapters/memory/record-store.js`;

export const mutants: readonly Mutant[] = [
  {
    name: 'no dedupe',
    file: `${engine}/applier/collect.js`,
    edits: [['record.changes.filter((change) => change.lsn > before.applied)', 'record.changes']],
  },
  {
    name: 'no gap check',
    file: `${engine}/applier/reading.js`,
    edits: [['if (record.from <= reading.applied)', 'if (record.to > reading.applied)']],
  },
  {
    name: 'interval taken from the tail',
    file: `${engine}/relay/relay.js`,
    edits: [
      [
        'startPacking(identity, stream.start, count)',
        'startPacking(identity, this.tail ?? stream.start, count)',
      ],
      ['packing = packed.next;', 'packing = packed.next; this.tail = packing.lastTo[0];'],
    ],
  },
  {
    name: 'ack before durable',
    file: `${engine}/relay/relay.js`,
    edits: [
      [
        'await this.#publish(packed.records);\n                acknowledger.published(packed.beats);',
        'acknowledger.published(packed.beats);\n                await this.#publish(packed.records);',
      ],
    ],
  },
  {
    name: 'a publish in doubt not repeated',
    file: `${engine}/relay/relay.js`,
    edits: [
      [
        'if (!(reason instanceof ReplicationError) || !reason.retriable)',
        'if (reason instanceof ReplicationError) return; if (true)',
      ],
    ],
  },
  {
    name: 'reply before durable',
    file: store,
    edits: [['const end = this.#database.transact(true,', 'const end = this.#database.transact(false,']],
  },
  {
    name: 'position in another transaction',
    file: store,
    edits: [
      [
        'this.#database.transact(false, () => {\n            const { writes',
        'this.#database.transact(true, () => this.#move(origin, positions));\n        this.#database.transact(false, () => {\n            const { writes',
      ],
    ],
  },
  {
    name: 'stale applier not fenced',
    file: store,
    edits: [['if (!positions.every(stand))', 'if (rows.length === 0)']],
  },
  {
    name: 'settled is applied',
    file: store,
    edits: [
      [
        'const reach = oldest === null || oldest > applied ? applied : oldest - 1n;',
        'oldest = null; const reach = applied;',
      ],
    ],
  },
  {
    name: 'poison skipped',
    file: `${engine}/applier/batch.js`,
    edits: [['deadLetters.push(deadLetterOf(shared, attempt));', '']],
  },
  {
    name: 'keepalive end confirmed',
    file: `${engine}/adapters/memory/change-source.js`,
    edits: [['this.#database.wal.confirm(end);', 'this.#database.wal.confirm(this.#database.wal.insert);']],
  },
  {
    name: 'wall clock instead of hybrid clock',
    file: 'conflict/dist/record/draft.js',
    edits: [
      [
        'nextStamp(options.nowMs, laterOf(highestStamp(before.entries), floorMs))',
        'nextStamp(options.nowMs, undefined)',
      ],
    ],
  },
  {
    name: 'lag from what arrived',
    file: `${engine}/progress/lag.js`,
    edits: [['const beat = positions?.beat ?? null;', 'const beat = input.heard?.beat ?? null;']],
  },
  {
    name: 'RPO from the newest beat',
    file: `${engine}/progress/rpo.js`,
    edits: [
      [
        'const age = ageMs(at.nowMs, coveredAtMs);',
        'const age = ageMs(at.nowMs, at.own.newest?.atMs ?? null);',
      ],
    ],
  },
  {
    name: 'progress told before it is durable',
    file: `${engine}/progress/progress-publisher.js`,
    edits: [['await beats.storeHeard(heard);', '']],
  },
  {
    name: 'a beat in changed partitions only',
    file: `${engine}/relay/packer.js`,
    edits: [['if (changes.length === 0 && beats.length === 0)', 'if (changes.length === 0)']],
  },
  {
    name: 'gap without reading again',
    file: `${engine}/applier/reading.js`,
    edits: [["if (reading.kind === 'live')\n        return { kind: 'reread' };", '']],
  },
  {
    name: 'links never late',
    file: `${engine}/links/link-monitor.js`,
    edits: [['function freshness(ageMs) {', "function freshness(ageMs) { return 'fresh';"]],
  },
  {
    name: 'count confirmed before it is durable',
    file: `${engine}/relay/acknowledger.js`,
    edits: [
      [
        'await this.#store.storePublished(beats);',
        'this.#confirm(newest.end); await this.#store.storePublished(beats);',
      ],
    ],
  },
  {
    name: 'a change beside its commit',
    file: `${engine}/relay/packer.js`,
    edits: [['key, delta, lsn, index }', 'key, delta, lsn: lsn - 1n, index }']],
  },
  {
    name: 'restart taken for granted',
    file: `${engine}/identity/identity-guard.js`,
    edits: [["if (verdict.kind === 'broken')", 'if (false)']],
  },
  {
    name: 'impossible name let in',
    file: `${engine}/log/log-record.js`,
    edits: [["if (name.includes('\\0'))", 'if (false)']],
  },
  {
    name: 'budget that never refuses',
    file: `${engine}/guard/write-guard.js`,
    edits: [['return within >= guard.peers ?', 'return true ?']],
  },
];
