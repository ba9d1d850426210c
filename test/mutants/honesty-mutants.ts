/** Mistakes in what a region says of itself and of its links, and in what it takes writes by. */
import { type Mutant, seeds, suite } from './mutant.ts';

const engine = 'replication/dist';
const sources = 'replication/src';

export const honestyMutants: readonly Mutant[] = [
  {
    name: 'lag from send time',
    edits: [
      {
        file: `${engine}/progress/lag.js`,
        from: 'const beat = input.positions?.beat ?? null;',
        to: 'const beat = input.heard?.beat ?? null;',
      },
    ],
    killer: seeds,
  },
  {
    name: 'RPO from the newest beat',
    edits: [
      {
        file: `${engine}/progress/rpo.js`,
        from: 'const age = ownAgeMs(at.nowMs, coveredAtMs, at.own.newest);',
        to: 'const age = ageMs(at.nowMs, at.own.newest?.atMs ?? null);',
      },
    ],
    killer: seeds,
  },
  {
    name: 'a one-way cut taken for data that stand still',
    edits: [
      {
        file: `${engine}/links/link-monitor.js`,
        from: "return isOutFailed ? 'partitioned' : 'one-way-in';",
        to: "return isOutFailed ? 'partitioned' : 'stalled';",
      },
    ],
    killer: suite('test/simulation/breakages.test.ts'),
  },
  {
    name: 'an incident declared when the link is well again',
    edits: [
      {
        file: `${engine}/links/incident-machine.js`,
        from: "return state === 'suspected' ? null : seen.nowMs;",
        to: "return state === 'healing' ? seen.nowMs : null;",
      },
    ],
    killer: suite('test/simulation/breakages.test.ts'),
  },
  {
    name: 'an incident that is never over',
    edits: [
      {
        file: `${engine}/links/incident-machine.js`,
        from: "if (seen.link !== 'connected')",
        to: "if (seen.link !== 'none')",
      },
    ],
    killer: suite('test/simulation/breakages.test.ts'),
  },
  {
    name: 'flag from heartbeat only',
    edits: [
      {
        file: `${sources}/links/link-monitor.ts`,
        from: 'echo: echoFreshness(signals),',
        to: "echo: 'fresh',",
      },
      {
        file: `${sources}/links/link-monitor.ts`,
        from: 'freshness(signals.dataAgeMs),',
        to: "'fresh',",
      },
      {
        file: `${sources}/links/link-monitor.ts`,
        from: "signals.peerDataAgeMs === null ? 'fresh' : freshness(signals.peerDataAgeMs),",
        to: "'fresh',",
      },
    ],
    killer: suite('replication/src/links'),
  },
  {
    name: 'links never late',
    edits: [
      {
        file: `${engine}/links/link-monitor.js`,
        from: 'function freshness(ageMs) {',
        to: "function freshness(ageMs) { return 'fresh';",
      },
    ],
    killer: seeds,
  },
  {
    name: 'budget that never refuses',
    edits: [
      {
        file: `${engine}/guard/write-guard.js`,
        from: 'return within >= guard.peers ?',
        to: 'return true ?',
      },
    ],
    killer: seeds,
  },
  {
    name: 'session served without waiting',
    edits: [
      {
        file: `${engine}/sessions/session.js`,
        from: "if (missing === null)\n        return { kind: 'reached' };",
        to: "return { kind: 'reached' };",
      },
    ],
    killer: seeds,
  },
  {
    name: 'session that forgets what it read',
    edits: [
      {
        file: `${engine}/sessions/session-desk.js`,
        from: 'return this.#encode(afterRead(this.#own(session), place, this.#partitions(ids)));',
        to: 'void place; void ids; return this.tokenOf(session);',
      },
    ],
    killer: seeds,
  },
  {
    name: 'each break an incident',
    edits: [
      {
        file: `${engine}/links/incident-machine.js`,
        from: "return state === null || state === 'suspected' ? null : 'healing';",
        to: 'return null;',
      },
    ],
    killer: seeds,
  },
  {
    name: 'writes of an incident counted from the beginning',
    edits: [
      {
        file: `${engine}/links/incident-machine.js`,
        from: 'from: seen.settled,',
        to: 'from: { own: null, peer: null },',
      },
    ],
    killer: suite('test/simulation/breakages.test.ts'),
  },
  {
    name: 'a beat from before a jump told by the offset after it',
    edits: [
      {
        file: `${sources}/progress/earlier-offsets.ts`,
        from: 'return (earlier.find(({ untilBeat }) => beat <= untilBeat) ?? present).offsetMs;',
        to: 'return (earlier.find(({ untilBeat }) => beat < -untilBeat) ?? present).offsetMs;',
      },
    ],
    killer: suite('replication/src/progress/earlier-offsets.test.ts'),
  },
  {
    name: 'a jump not yet found taken for the newest beat',
    edits: [
      {
        file: `${sources}/progress/earlier-offsets.ts`,
        from: 'lastBeat: lastBeatBefore(jump), fresh: null };',
        to: 'lastBeat: heardBeat.beat.number, fresh: null };',
      },
    ],
    killer: suite(
      'replication/src/progress/earlier-offsets.test.ts',
      'replication/src/progress/set-clocks.test.ts',
    ),
  },
  {
    name: 'the leap of one jump taken for that of the next',
    edits: [
      {
        file: `${sources}/progress/earlier-offsets.ts`,
        from: ': (before.at(-1)?.untilBeat ?? -1) + 1;',
        to: ': (before.at(-1)?.untilBeat ?? -1);',
      },
    ],
    killer: suite('replication/src/progress/earlier-offsets.test.ts'),
  },
  {
    name: 'a jump of the own clock noticed with the next message only',
    edits: [
      {
        file: `${sources}/progress/progress-reader.ts`,
        from: 'const moved = onOwnClock(heard, ownBaseMs);',
        to: 'const moved = heard;',
      },
    ],
    killer: suite(
      'replication/src/progress/set-clocks.test.ts',
      'replication/src/progress/progress-reader.test.ts',
    ),
  },
  {
    name: 'a jump from before the start taken for one of the peer',
    edits: [
      {
        file: `${sources}/progress/progress-reader.ts`,
        from: 'if (isRecalled && byMs >= leastJumpMs)',
        to: 'if (isRecalled && byMs >= Infinity)',
      },
    ],
    killer: suite(
      'replication/src/progress/set-clocks.test.ts',
      'replication/src/progress/progress-reader.test.ts',
    ),
  },
  {
    name: 'an echo from before the own clock was set taken for a sample',
    edits: [
      {
        file: `${sources}/progress/progress-reader.ts`,
        from: ' || echo.number < at.firstBeat',
        to: '',
      },
    ],
    killer: suite('replication/src/progress/progress-reader.test.ts'),
  },
  {
    name: 'a session judged by another life of the database',
    edits: [
      {
        file: `${sources}/sessions/session-desk.ts`,
        from: 'if (sameIncarnation(incarnation, this.#options.self.incarnation)) return;',
        to: 'if (incarnation.counter > 0) return;',
      },
    ],
    killer: suite('replication/src/sessions'),
  },
  {
    name: 'a sweep that began before taken for a proof',
    edits: [
      {
        file: 'services/region/src/verified-sweeps.ts',
        from: 'known.cleanSweep >= awaited.sweep',
        to: 'known.cleanSweep > 0',
      },
    ],
    killer: suite('services/region/src/verified-sweeps.test.ts'),
  },
  {
    name: 'a sweep numbered when it ends',
    edits: [
      {
        file: `${engine}/transfer/sweeper.js`,
        from: 'const sweep = await verifications.began(peer);',
        to: '',
      },
      {
        file: `${engine}/transfer/sweeper.js`,
        from: '{ ...finding, sweep }',
        to: '{ ...finding, sweep: await verifications.began(peer) }',
      },
    ],
    killer: suite('test/integration/transfer-desk.test.ts'),
  },
  {
    name: 'one proof for every heal of an incident',
    edits: [
      {
        file: `${sources}/links/incident-watch.ts`,
        from: 'JSON.stringify([number, until, settledAtMs])',
        to: 'JSON.stringify([number])',
      },
    ],
    killer: suite('replication/src/links/incident-watch.test.ts'),
  },
];
