/**
 * Carries a renewal out: the shell around `renewal-machine.ts`. It asks the control topic and the own log, listens for
 * others in our name, and writes the outcome into the database. What does not answer gives the attempt up, and nothing
 * is lost by that: whoever tries again begins with a higher counter.
 */
import { ReplicationError } from '../errors.ts';
import { decodeClaim, encodeClaim } from '../log/claim-record.ts';
import { decodeProgress } from '../log/progress-record.ts';
import type { ControlLog } from '../ports/control-log.ts';
import type { Incarnation } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Vector } from '../ports/vector.ts';
import type { Evidence } from './evidence.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import {
  type EndedState,
  isEnded,
  type RenewalEffect,
  type RenewalInput,
  startRenewal,
  stepRenewal,
} from './renewal-machine.ts';

export interface RenewalOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly past: Pick<IdentityStore, 'continuity' | 'claim' | 'noteClaim' | 'adopt' | 'hold'>;
  readonly evidence: Pick<Evidence, 'newestProgress' | 'highestCounter'>;
  readonly control: ControlLog;
  /** What must not be true any more when the claim is made is looked at once more. */
  readonly confirm: () => Promise<void>;
  /** Whether nobody publishes in our name for long enough from now on. */
  readonly isAlone: () => Promise<boolean>;
  /** Of 32 bits, from chance. */
  readonly newNonce: () => number;
  /** Ends what waits for others. */
  readonly signal: AbortSignal;
}

export async function renewIncarnation(options: RenewalOptions): Promise<EndedState> {
  let [state, effect] = startRenewal();
  while (!isEnded(state)) [state, effect] = stepRenewal(state, await tried(options, effect));
  return state;
}

async function tried(options: RenewalOptions, effect: RenewalEffect): Promise<RenewalInput> {
  try {
    return await perform(options, effect);
  } catch (reason) {
    if (!(reason instanceof ReplicationError)) throw reason;
    return { kind: 'failed', reason: reason.message };
  }
}

async function perform(options: RenewalOptions, effect: RenewalEffect): Promise<RenewalInput> {
  const { self, past, control, isAlone, newNonce } = options;
  switch (effect.kind) {
    case 'survey':
      return survey(options);
    case 'listen':
      if (await isAlone()) return { kind: 'alone' };
      return { kind: 'heard', reason: 'somebody else publishes in our name' };
    case 'note': {
      await options.confirm();
      const claim = await past.noteClaim({ counter: effect.counter, nonce: newNonce() });
      return { kind: 'noted', claim };
    }
    case 'claim':
      await control.append(encodeClaim({ region: self.region, incarnation: effect.claim }));
      return { kind: 'read', claims: await readClaims(options), noted: await past.claim() };
    case 'adopt':
      await past.adopt({ claim: effect.claim, promised: await lastPromise(options) }, options.signal);
      return { kind: 'adopted' };
    case 'hold':
      await hold(options, effect.reason);
      return { kind: 'held' };
    case 'end':
      return { kind: 'failed', reason: 'nothing follows the end' };
  }
}

/** With what was known of the database before, because an operator has to know it too. */
async function hold({ past }: RenewalOptions, reason: string): Promise<void> {
  const continuity = await past.continuity();
  // A claim that another process of this database has made good is noted no more, and is not somebody else's.
  if (continuity.kind === 'renewed') return;
  const isHeld = continuity.kind === 'broken' && continuity.isHeld;
  await past.hold(isHeld ? `${reason}; held before: ${continuity.reason}` : reason, { isLastWord: true });
}

async function survey(options: RenewalOptions): Promise<RenewalInput> {
  const { self, past, evidence } = options;
  const claimed = (await readClaims(options)).reduce((highest, { counter }) => Math.max(highest, counter), 0);
  const noted = (await past.claim())?.counter ?? 0;
  const told = await evidence.highestCounter();
  // A promise that nobody here can read ends every attempt, and claims are kept for ever: none is made for that.
  await lastPromise(options);
  return { kind: 'surveyed', highest: Math.max(self.incarnation.counter, noted, told, claimed) };
}

/** Of our region, oldest first. What cannot be read claims nothing. */
export async function readClaims({
  self,
  control,
}: Pick<RenewalOptions, 'self' | 'control'>): Promise<readonly Incarnation[]> {
  const claims: Incarnation[] = [];
  for (const bytes of await control.read()) {
    try {
      const { region, incarnation } = decodeClaim(bytes);
      if (region === self.region) claims.push(incarnation);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
    }
  }
  return claims;
}

/** What the region last told its peers, under whichever of its incarnations. */
async function lastPromise({ self, evidence }: RenewalOptions): Promise<Vector | null> {
  const bytes = await evidence.newestProgress();
  if (bytes === null) return null;
  const { region, origins } = decodeProgress(bytes);
  if (region !== self.region) return null;
  return origins.flatMap(({ origin, incarnation, settled }) =>
    (settled ?? []).map((lsn, partition) => ({ region: origin, incarnation, partition, lsn })),
  );
}
