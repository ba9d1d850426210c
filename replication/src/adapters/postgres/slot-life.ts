/**
 * The port `SlotKeeper` on Postgres. A new life is announced before its slot is made, from where the log stood then, and
 * completed with where the slot really begins before anything of it is confirmed. Should the process end between the two,
 * the next one completes it; meanwhile nobody takes the slot for one that misses nothing. The slot is made anew only where
 * it is gone or invalidated, never while a relay reads from it, and by one process at a time.
 */
import { assert } from '../../errors.ts';
import type { SlotKeeper, SlotLife } from '../../ports/slot-keeper.ts';
import type { Connections } from './connections.ts';
import { createSlot, isSlotSound, lockSlot, slotWaitMs } from './relay-slot.ts';
import type { Row } from './row-values.ts';
import { lsnAt, numberAt } from './row-values.ts';
import type { Session, Statement } from './session.ts';

export const selectLife: Statement = {
  name: 'isthmus_slot_life',
  text: 'SELECT number, from_lsn::text FROM isthmus.slot_life ORDER BY number DESC LIMIT 1',
};

/** Nothing where the newest life begins there already. */
export const insertLife: Statement = {
  name: 'isthmus_slot_life_insert',
  text: `INSERT INTO isthmus.slot_life (number, from_lsn, reason)
  SELECT coalesce((SELECT max(number) FROM isthmus.slot_life), 0) + 1, confirmed_flush_lsn, $2
  FROM pg_replication_slots WHERE slot_name = $1
    AND confirmed_flush_lsn IS DISTINCT FROM (SELECT from_lsn FROM isthmus.slot_life ORDER BY number DESC LIMIT 1)`,
};

/** Nothing where one is announced already: the earlier place is the safe one. */
const announceLife: Statement = {
  name: 'isthmus_slot_life_announce',
  text: `INSERT INTO isthmus.slot_life (number, from_lsn, reason, made)
  SELECT coalesce(max(number), 0) + 1, pg_current_wal_insert_lsn(), $1, false FROM isthmus.slot_life
  HAVING coalesce(bool_and(made), true)`,
};

/** Nothing was confirmed of the slot yet, so that is where it begins; a slot in the making does not know it. */
const completeLife: Statement = {
  name: 'isthmus_slot_life_complete',
  text: `UPDATE isthmus.slot_life SET from_lsn = confirmed_flush_lsn, made = true
  FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn IS NOT NULL AND NOT made`,
};

export class PostgresSlotKeeper implements SlotKeeper {
  readonly #connections: Connections;
  readonly #slotName: string;

  constructor(connections: Connections, slotName: string) {
    this.#connections = connections;
    this.#slotName = slotName;
  }

  async life(): Promise<SlotLife | null> {
    await this.#connections.write((session) => session.query(completeLife, this.#slotName));
    const answer = await this.#connections.query(selectLife);
    const row = answer.rows[0];
    return row === undefined ? null : lifeAt(row);
  }

  async renew(reason: string, signal?: AbortSignal): Promise<SlotLife> {
    const patience = { limitMs: slotWaitMs, signal };
    const session = await this.#connections.checkOut('write');
    try {
      await lockSlot(session, patience);
      if (!(await isSlotSound(session, this.#slotName))) {
        await session.query(announceLife, reason);
        await createSlot(session, this.#slotName, patience);
      }
    } finally {
      // The lock goes with it.
      session.drop();
    }
    const life = await this.life();
    assert(life !== null, 'a slot that was made has a life');
    return life;
  }
}

/** The slot was just made and nobody has read from it. */
export async function noteLife(session: Session, slotName: string, reason: string): Promise<void> {
  await session.query(insertLife, slotName, reason);
}

export function lifeAt(row: Row): SlotLife {
  return { number: numberAt(row, 0), from: lsnAt(row, 1) };
}
