/**
 * The port `SlotKeeper` on Postgres. A life is noted right after its slot was made; should the process end between the
 * two, the slot stands without a note, and donors believe the older life for which they only wait less. The slot is made
 * anew only where it is gone or invalidated, never while a relay reads from it.
 */
import { assert } from '../../errors.ts';
import type { SlotKeeper, SlotLife } from '../../ports/slot-keeper.ts';
import type { Connections } from './connections.ts';
import { createSlot, isSlotSound } from './relay-slot.ts';
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

export class PostgresSlotKeeper implements SlotKeeper {
  readonly #connections: Connections;
  readonly #slotName: string;

  constructor(connections: Connections, slotName: string) {
    this.#connections = connections;
    this.#slotName = slotName;
  }

  async life(): Promise<SlotLife | null> {
    const answer = await this.#connections.query(selectLife);
    const row = answer.rows[0];
    return row === undefined ? null : lifeAt(row);
  }

  async renew(reason: string): Promise<SlotLife> {
    await this.#connections.write(async (session) => {
      if (await isSlotSound(session, this.#slotName)) return;
      await createSlot(session, this.#slotName);
      await noteLife(session, this.#slotName, reason);
    });
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
