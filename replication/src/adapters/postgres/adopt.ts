/**
 * Makes a database a new incarnation of its region (P9). The relay's slot is made anew first, so that what earlier lives
 * committed and never published is emitted by nobody: peers fetch it from the records. Then one transaction writes the
 * identity, how far the database reached of the life that it had, what was promised to peers, and drops the beats, which
 * speak of another write-ahead log; where the region is to be filled anew, everything that is replicated goes in the same
 * transaction (`empty.ts`). Whoever dies in between does all of it again. Other processes wait behind the lock of
 * the slot and find it done.
 */
import { type Adoption, marginBeats } from '../../ports/identity-store.ts';
import type { Incarnation } from '../../ports/identity.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import { commitWith } from './commit.ts';
import { identityMismatch, endOthers, lineageOf, selectLineage } from './identity-row.ts';
import { incarnationAt } from './positions.ts';
import { createSlot, lockSlot, slotWaitMs } from './relay-slot.ts';
import { numberAt } from './row-values.ts';
import type { Session, Statement } from './session.ts';
import { begin } from './session.ts';
import { afterRefill, emptyForRefill } from './empty.ts';
import { insertLife } from './slot-life.ts';
import { raiseIn, vectorValues } from './vector-columns.ts';

const selectStored: Statement = {
  name: 'isthmus_adopt_stored',
  text: `SELECT incarnation_counter, incarnation_nonce, coalesce(claim_counter, 0), coalesce(claim_nonce, 0)
  FROM isthmus.identity`,
};

/** The next number of a transfer comes by default: what is wanted from here on is of the new life. */
const keepPast: Statement = {
  name: 'isthmus_adopt_past',
  text: `INSERT INTO isthmus.own_past (incarnation_counter, incarnation_nonce, through)
  SELECT incarnation_counter, incarnation_nonce, greatest(answered, (SELECT lsn FROM isthmus.beat
    WHERE number <= (SELECT max(number) FROM isthmus.beat) - ${marginBeats}
    ORDER BY number DESC LIMIT 1))
  FROM isthmus.identity JOIN isthmus.barrier USING (one) ON CONFLICT DO NOTHING`,
};

/** It speaks of the life that is over. */
const forgetAnswered: Statement = {
  name: 'isthmus_adopt_answered',
  text: "UPDATE isthmus.barrier SET answered = '0/0'",
};

const keepPromised: Statement = {
  name: 'isthmus_adopt_promised',
  text: raiseIn('isthmus.promised'),
};

const forgetBeats: Statement = { name: 'isthmus_adopt_beats', text: 'DELETE FROM isthmus.beat' };
const forgetLives: Statement = { name: 'isthmus_adopt_lives', text: 'DELETE FROM isthmus.slot_life' };

/** They told of beats that are gone. What is known of the peers themselves stays. */
const forgetTold: Statement = {
  name: 'isthmus_adopt_told',
  text: 'UPDATE isthmus.peer_progress SET settled = NULL, settled_beat = NULL, echoed_beat = NULL',
};

/** The beat behind which a drained region has nothing left is named anew: that of the life before would be far ahead. */
const renew: Statement = {
  name: 'isthmus_adopt',
  text: `UPDATE isthmus.identity SET incarnation_counter = $1, incarnation_nonce = $2, system_identifier = $3,
    timeline = $4, postmaster_started_at = pg_postmaster_start_time(), floor = 0, relearning_since = clock_timestamp(),
    relearning_open = false, drained_beat = NULL,
    promise_known = $5 AND (relearning_since IS NULL OR promise_known), held = NULL, claim_counter = NULL, claim_nonce = NULL`,
};

/** On a session that the caller drops. Rejects with `slot-held` where a relay still reads; `signal` ends the wait for the slot. */
export async function adopt(
  session: Session,
  { claim, promised }: Adoption,
  { slotName, signal }: { readonly slotName: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const patience = { limitMs: slotWaitMs, signal };
  await lockSlot(session, patience);
  const { rows } = await session.query(selectStored);
  const stored = incarnationAt(rows[0] ?? [], 0);
  if (sameIncarnation(stored, claim)) return;
  const noted = { counter: numberAt(rows[0] ?? [], 2), nonce: numberAt(rows[0] ?? [], 3) };
  if (!sameIncarnation(noted, claim)) throw otherClaim(claim);
  await createSlot(session, slotName, patience);
  const lineage = lineageOf((await session.query(selectLineage)).rows[0]);
  await session.query(begin);
  await emptyForRefill(session);
  await commitWith(session, {
    before: [
      [keepPast],
      [forgetAnswered],
      [keepPromised, ...vectorValues(promised ?? [])],
      [forgetBeats],
      [forgetTold],
      [forgetLives],
      [insertLife, slotName, `incarnation ${claim.counter} began`],
      [renew, claim.counter, claim.nonce, lineage.systemIdentifier, lineage.timeline, promised !== null],
      ...afterRefill,
    ],
    after: [[endOthers]],
  });
}

function otherClaim({ counter }: Incarnation) {
  return identityMismatch(`the claim of incarnation ${counter} is not the one that is under way`);
}
