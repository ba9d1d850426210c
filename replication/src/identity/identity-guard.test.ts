/** What the guard does with what it hears (P1): a word against the region is not lost because its database is away. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError, type ReplicationErrorCode } from '../errors.ts';
import { encodeClaim } from '../log/claim-record.ts';
import type { Continuity, IdentityStore } from '../ports/identity-store.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { ControlLog } from '../ports/control-log.ts';
import type { Evidence } from './evidence.ts';
import { IdentityGuard } from './identity-guard.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const silent = { debug() {}, info() {}, warn() {}, error() {} };

interface Ground {
  readonly timer: ManualTimer;
  readonly past: Pick<IdentityStore, 'standing' | 'continuity'> & Partial<IdentityStore>;
  readonly evidence: Partial<Evidence>;
  readonly control?: ControlLog;
  readonly onProven?: () => void;
  readonly onRefused?: (reason: string) => void;
}

const silentControl: ControlLog = { append: async () => {}, read: async () => [], close: async () => {} };

/** Over what answers, where the test says nothing else. */
function guardOf({
  timer,
  past,
  evidence,
  control = silentControl,
  onProven = () => {},
  onRefused = () => {},
}: Ground): IdentityGuard {
  return new IdentityGuard({
    self: { region, incarnation: { counter: 1, nonce: 7 }, partitionCount: 1 },
    past: {
      newestBeat: async () => ({ beat: null, hasPublished: false }),
      insertLsn: async () => 0n,
      recoveredTo: async () => 0n,
      beats: async () => [],
      prove: async () => {},
      hold: async () => {},
      accept: async () => {},
      claim: async () => null,
      noteClaim: async (claim) => claim,
      adopt: async () => {},
      ...past,
      get standing() {
        return past.standing;
      },
    },
    evidence: {
      start: () => {},
      stop: async () => {},
      prepare: async () => {},
      compare: async () => ({ kind: 'continues', readRecords: 0 }),
      isAlone: async () => true,
      highestCounter: async () => 0,
      newestProgress: async () => null,
      ...evidence,
    },
    control,
    newNonce: () => 1,
    timer,
    logger: silent,
    onRefused,
    onProven,
  });
}

test('who waits for the database to take writes is told as soon as it is proven (P1)', async () => {
  const timer = new ManualTimer();
  const lineage = { systemIdentifier: '1', timeline: 1, postmasterStart: '2' };
  let isProven = false;
  const told: string[] = [];
  let compared = (): void => expect.fail('nothing is compared yet');
  const continues = new Promise<void>((resolve) => {
    compared = resolve;
  });
  const guard = guardOf({
    timer,
    past: {
      get standing() {
        return isProven ? 'same' : 'unproven';
      },
      continuity: async () =>
        isProven ? { kind: 'same' } : { kind: 'unproven', isPromoted: false, lineage },
      prove: async () => {
        isProven = true;
      },
    },
    evidence: {
      compare: async () => {
        await continues;
        return { kind: 'continues', readRecords: 0 };
      },
    },
    onProven: () => void told.push('proven'),
  });
  guard.start();
  await timer.advance(50);
  expect(told).toEqual([]);
  compared();
  await timer.advance(1);
  expect(told).toEqual(['proven']);
  await guard.stop();
});

test('what no waiting mends is said, and not compared again all the time (0062)', async () => {
  const timer = new ManualTimer();
  const lineage = { systemIdentifier: '1', timeline: 1, postmasterStart: '2' };
  let compared = 0;
  let code: ReplicationErrorCode = 'newer-format';
  const guard = guardOf({
    timer,
    past: {
      standing: 'unproven',
      continuity: async () => ({ kind: 'unproven', isPromoted: false, lineage }),
    },
    evidence: {
      compare: async () => {
        compared++;
        throw new ReplicationError(code, 'a newer version wrote into the own log', { retriable: false });
      },
    },
  });
  guard.start();
  await timer.advance(14_000);
  expect([compared, guard.state]).toEqual([
    1,
    { kind: 'unproven', reason: 'a newer version wrote into the own log' },
  ]);
  // Nobody knows how it ended, which the next comparison does.
  code = 'outcome-unknown';
  await timer.advance(3000);
  expect(compared).toBeGreaterThan(3);
  await guard.stop();
});

test('a server that another process has proven meanwhile is not taken for another one (P1)', async () => {
  const timer = new ManualTimer();
  const lineage = { systemIdentifier: '1', timeline: 1, postmasterStart: '2' };
  let isProven = false;
  let compared = (): void => expect.fail('nothing is compared yet');
  const found = new Promise<void>((resolve) => {
    compared = resolve;
  });
  const claims: unknown[] = [];
  const guard = guardOf({
    timer,
    past: {
      get standing() {
        return isProven ? 'same' : 'unproven';
      },
      continuity: async () =>
        isProven ? { kind: 'same' } : { kind: 'unproven', isPromoted: false, lineage },
      noteClaim: async (claim) => {
        claims.push(claim);
        return claim;
      },
    },
    evidence: {
      compare: async () => {
        await found;
        return { kind: 'broken', reason: 'the own log holds beat 59, the database none after 58' };
      },
    },
  });
  guard.start();
  await timer.advance(50);
  // The other process goes on, and its first beat is in the log before this one has read to its end.
  isProven = true;
  compared();
  await timer.advance(60_000);
  expect({ state: guard.state, claims }).toEqual({ state: { kind: 'proven' }, claims: [] });
  await guard.stop();
});

test('what is heard while the database does not answer holds the region as soon as it does', async () => {
  const timer = new ManualTimer();
  const held: string[] = [];
  let answers = false;
  const answer = <Value>(value: Value): Promise<Value> => {
    const away = new ReplicationError('database-unavailable', 'its connections were cut', {
      retriable: true,
    });
    return answers ? Promise.resolve(value) : Promise.reject(away);
  };
  let tell = async (_reason: string): Promise<void> => expect.fail('nobody listens yet');
  const same: Continuity = { kind: 'same' };
  const guard = guardOf({
    timer,
    past: {
      get standing() {
        return held.length > 0 ? 'broken' : 'same';
      },
      continuity: () => answer(same),
      hold: async (reason) => {
        await answer(undefined);
        held.push(reason);
      },
    },
    evidence: {
      start: ({ onForeign }) => {
        tell = onForeign;
      },
    },
  });
  guard.start();
  const told = tell('another database writes as eu');
  await timer.advance(5_000);
  expect(held).toEqual([]);
  answers = true;
  await timer.advance(30_000);
  await told;
  expect(held).toEqual(['another database writes as eu']);
  expect(guard.state).toEqual({ kind: 'refused', reason: 'another database writes as eu' });
  await guard.stop();
});

test('a region that was held says so though its newest connection is older than the hold (P1, I10)', async () => {
  const timer = new ManualTimer();
  const reason = 'another database writes as eu';
  let newestConnection: Continuity['kind'] = 'same';
  let found: Continuity = { kind: 'same' };
  let tell = async (_reason: string): Promise<void> => expect.fail('nobody listens yet');
  const guard = guardOf({
    timer,
    past: {
      get standing() {
        return newestConnection;
      },
      continuity: async () => found,
      hold: async () => {
        found = { kind: 'broken', isHeld: true, reason };
      },
    },
    evidence: {
      start: ({ onForeign }) => {
        tell = onForeign;
      },
    },
  });
  guard.start();
  await tell(reason);
  await timer.advance(200);
  newestConnection = 'broken';
  await timer.advance(200);
  expect(guard.state).toEqual({ kind: 'refused', reason });
  await guard.stop();
});

test('no counter is claimed for a promise that only a newer version can read (0062)', async () => {
  const timer = new ManualTimer();
  const claims: Uint8Array[] = [];
  let asked = 0;
  const guard = guardOf({
    timer,
    past: {
      standing: 'broken',
      continuity: async () => ({ kind: 'broken', reason: 'it was restored', isHeld: false }),
      claim: async () => null,
      noteClaim: async ({ counter, nonce }) => ({ counter, nonce }),
      adopt: async () => expect.fail('what was promised is not known'),
    },
    evidence: {
      newestProgress: async () => {
        asked++;
        return Uint8Array.of(3);
      },
    },
    control: {
      append: async (bytes) => void claims.push(bytes),
      read: async () => claims,
      close: async () => {},
    },
  });
  guard.start();
  await timer.advance(60_000);
  await guard.stop();
  expect(asked).toBeGreaterThan(10);
  expect(claims).toEqual([]);
});

test('nobody can say what the database lacks: it goes on as another life, and is refused nothing (I8, I11)', async () => {
  const timer = new ManualTimer();
  const lineage = { systemIdentifier: '1', timeline: 1, postmasterStart: '2' };
  const adopted: unknown[] = [];
  const claims: Uint8Array[] = [];
  const refused: string[] = [];
  const guard = guardOf({
    timer,
    past: {
      get standing() {
        return adopted.length > 0 ? 'renewed' : 'unproven';
      },
      continuity: async () => ({ kind: 'unproven', isPromoted: false, lineage }),
      prove: async () => expect.fail('it was not proven'),
      adopt: async ({ claim }) => void adopted.push(claim),
    },
    evidence: { compare: async () => ({ kind: 'untold', reason: 'us does not say' }) },
    control: {
      append: async (bytes) => void claims.push(bytes),
      read: async () => claims,
      close: async () => {},
    },
    onRefused: (reason) => void refused.push(reason),
  });
  guard.start();
  await timer.advance(1000);
  expect({ state: guard.state.kind, adopted, refused }).toEqual({
    state: 'renewed',
    adopted: [{ counter: 2, nonce: 1 }],
    refused: [],
  });
  await guard.stop();
});

test('a life that peers do not know the region by is held until it is another, whoever finds it held', async () => {
  const timer = new ManualTimer();
  const claims: Uint8Array[] = [];
  const adopted: unknown[] = [];
  let held: string | null = null;
  let tell = async (_reason: string): Promise<void> => expect.fail('nobody listens yet');
  const past: Ground['past'] = {
    get standing() {
      return held === null ? 'same' : 'broken';
    },
    continuity: async () =>
      held === null ? { kind: 'same' } : { kind: 'broken', isHeld: true, reason: held },
    hold: async (reason) => {
      held ??= reason;
    },
    adopt: async ({ claim }) => void adopted.push(claim),
  };
  const evidence: Ground['evidence'] = {
    start: ({ onOtherLife }) => {
      tell = onOtherLife;
    },
    highestCounter: async () => 5,
  };
  const control = {
    append: async (bytes: Uint8Array) => void claims.push(bytes),
    read: async () => claims,
    close: async () => {},
  };
  const finder = guardOf({ timer, past, evidence, control });
  finder.start();
  await tell('us knows the region as incarnation 5');
  await finder.stop();
  expect(adopted).toEqual([]);
  const next = guardOf({ timer, past, evidence, control });
  next.start();
  await timer.advance(1000);
  expect([next.state.kind, adopted]).toEqual(['renewed', [{ counter: 6, nonce: 1 }]]);
  await next.stop();
});

test('the life that another process of this database has taken meanwhile is nobody else in its name (P9)', async () => {
  for (const end of ['heard', 'claimed'] as const) {
    const timer = new ManualTimer();
    const found: string[] = [];
    let isRenewed = false;
    const continuity = async (): Promise<Continuity> =>
      isRenewed
        ? { kind: 'renewed', reason: 'the database has incarnation 3' }
        : { kind: 'broken', isHeld: false, reason: 'the own log holds beat 211' };
    const guard = guardOf({
      timer,
      past: {
        get standing() {
          return isRenewed ? 'renewed' : 'broken';
        },
        continuity,
        hold: async (reason) => void found.push(`held: ${reason}`),
      },
      evidence: {
        isAlone: async () => {
          isRenewed = end === 'heard';
          return end === 'claimed';
        },
      },
      control: {
        // The other process began later, claimed higher, and its database has noted nothing any more.
        append: async () => {
          isRenewed = true;
        },
        read: async () => (isRenewed ? [encodeClaim({ region, incarnation: { counter: 3, nonce: 9 } })] : []),
        close: async () => {},
      },
      onRefused: (reason) => void found.push(reason),
    });
    guard.start();
    await timer.advance(1000);
    expect(guard.state).toEqual({ kind: 'renewed', reason: 'the database has incarnation 3' });
    expect(found, end).toEqual(['the own log holds beat 211']);
    await guard.stop();
  }
});

test('a promoted server that another process has proven meanwhile is not refused for its own beats (P1)', async () => {
  const timer = new ManualTimer();
  const lineage = { systemIdentifier: '1', timeline: 2, postmasterStart: '2' };
  const refused: string[] = [];
  let isProven = false;
  const guard = guardOf({
    timer,
    past: {
      get standing() {
        return isProven ? 'same' : 'unproven';
      },
      continuity: async () => (isProven ? { kind: 'same' } : { kind: 'unproven', isPromoted: true, lineage }),
    },
    evidence: {
      isAlone: async () => {
        isProven = true;
        return false;
      },
    },
    onRefused: (reason) => void refused.push(reason),
  });
  guard.start();
  await timer.advance(1000);
  expect({ state: guard.state.kind, refused }).toEqual({ state: 'proven', refused: [] });
  await guard.stop();
});

test('what a comparison has found outlives the process, and the log that would not say it again (P1, I11)', async () => {
  const timer = new ManualTimer();
  const lineage = { systemIdentifier: '1', timeline: 1, postmasterStart: '2' };
  const adopted: unknown[] = [];
  const claims: Uint8Array[] = [];
  let held: string | null = null;
  let isHeard = false;
  const past: Ground['past'] = {
    get standing() {
      return held === null ? 'unproven' : 'broken';
    },
    continuity: async () =>
      held === null
        ? { kind: 'unproven', isPromoted: false, lineage }
        : { kind: 'broken', isHeld: true, reason: held },
    prove: async () => expect.fail('it was found to lack a beat'),
    hold: async (reason) => {
      held ??= reason;
    },
    adopt: async ({ claim }) => void adopted.push(claim),
  };
  const control: ControlLog = {
    append: async (bytes) => void claims.push(bytes),
    read: async () => claims,
    close: async () => {},
  };
  const found = {
    kind: 'broken',
    reason: 'the own log holds beat 137, the database none after 136',
    isOnlyLogged: true,
  } as const;
  const away = new ReplicationError('log-unavailable', 'the own log does not answer', { retriable: true });
  const first = guardOf({
    timer,
    past,
    control,
    evidence: {
      compare: async () => found,
      isAlone: async () => {
        isHeard = true;
        throw away;
      },
    },
  });
  first.start();
  await timer.advance(50);
  expect([isHeard, adopted]).toEqual([true, []]);
  await first.stop();
  // Now the log has lost its newest records too, and a process that compares would find that all is well.
  const next = guardOf({ timer, past, control, evidence: {} });
  next.start();
  await timer.advance(1000);
  expect([next.state.kind, adopted]).toEqual(['renewed', [{ counter: 2, nonce: 1 }]]);
  await next.stop();
});

test('a database found to lack its past, whose claim is lost, is held with both reasons (P9)', async () => {
  const timer = new ManualTimer();
  const found = 'this database is not its own past: the own log holds beat 137, the database none after 136';
  let held = found;
  let hasClaimed = false;
  const guard = guardOf({
    timer,
    past: {
      standing: 'broken',
      continuity: async () => ({ kind: 'broken', isHeld: true, reason: held }),
      hold: async (reason, how) => {
        if (how?.isLastWord === true) held = reason;
      },
      adopt: async () => expect.fail('another database has won the claim'),
    },
    evidence: {},
    control: {
      append: async () => {
        hasClaimed = true;
      },
      read: async () => (hasClaimed ? [encodeClaim({ region, incarnation: { counter: 3, nonce: 9 } })] : []),
      close: async () => {},
    },
  });
  guard.start();
  await timer.advance(1000);
  expect(held).toMatch(/; held before: this database is not its own past: the own log holds beat 137/);
  expect(held.startsWith(found), 'the next process does not claim again').toBe(false);
  expect(guard.state.kind).toBe('refused');
  await guard.stop();
});
