/** The port `RefillStore` on Postgres: one row, written over connections that serve a database which is not proven too. */
import { type Actor, parseActor } from '../../ports/identity.ts';
import type { Refill, RefillState, RefillStore, RefillWish } from '../../ports/refill-store.ts';
import { assert } from '../../errors.ts';
import { milliseconds } from './beat-figures.ts';
import { textArray } from './binary-array.ts';
import type { Connections } from './connections.ts';
import { regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { booleanAt, nullableAt, numberAt, textAt } from './row-values.ts';
import type { Statement } from './session.ts';

const states: readonly RefillState[] = ['securing', 'renewing', 'filling', 'learning', 'done', 'refused'];
const maxDetailLength = 500;

export const selectRefill: Statement = {
  name: 'isthmus_refill',
  text: `SELECT donor, state, array_to_string(accepted, ' '), detail, ${milliseconds('wanted_at')}, ${milliseconds('ended_at')},
    was_drained FROM isthmus.refill`,
};

/**
 * One that replaces a wish which secures knows what that knew of the drain. One that fills begins with another incarnation
 * at once: what is half filled has nothing of its own to lose.
 */
const wantRefill: Statement = {
  name: 'isthmus_refill_want',
  text: `INSERT INTO isthmus.refill AS old (donor, accepted, was_drained)
  VALUES ($1, $2::text[], (SELECT drained_since IS NOT NULL FROM isthmus.identity))
  ON CONFLICT (one) DO UPDATE SET donor = excluded.donor, accepted = excluded.accepted, detail = '',
    state = CASE WHEN old.unfilled THEN 'renewing' ELSE 'securing' END, wanted_at = clock_timestamp(), ended_at = NULL,
    was_drained = CASE WHEN old.state = 'securing' THEN old.was_drained ELSE excluded.was_drained END
  WHERE old.state <> 'renewing'`,
};

/** Whoever refuses the wish changes its row first, so that this comes before it or finds it refused. */
const drainForRefill: Statement = {
  name: 'isthmus_refill_drain',
  text: `WITH securing AS (
    SELECT FROM isthmus.refill WHERE state = 'securing' FOR SHARE
  ) UPDATE isthmus.identity SET drained_since = coalesce(drained_since, clock_timestamp())
  WHERE EXISTS (SELECT FROM securing)`,
};

const noteRefill: Statement = {
  name: 'isthmus_refill_note',
  text: "UPDATE isthmus.refill SET detail = $1 WHERE state = 'securing' AND detail <> $1",
};

const securedRefill: Statement = {
  name: 'isthmus_refill_secured',
  text: "UPDATE isthmus.refill SET state = 'renewing', detail = '' WHERE state = 'securing'",
};

const refuseRefill = ended('refuse', "state = 'securing'");

/** Whoever empties the database locks the wish first, so that this comes before it or finds it emptied. */
const withdrawRefill = ended('withdraw', "state = 'renewing' AND NOT unfilled");

function ended(name: string, where: string): Statement {
  const text = `WITH refused AS (
    UPDATE isthmus.refill SET state = 'refused', detail = $1, ended_at = clock_timestamp()
    WHERE ${where} RETURNING was_drained
  ), joined AS (
    UPDATE isthmus.identity SET drained_since = NULL, drained_from = NULL, drained_beat = NULL
    WHERE EXISTS (SELECT FROM refused WHERE NOT was_drained)
  ) SELECT FROM refused`;
  return { name: `isthmus_refill_${name}`, text };
}

const countRecords: Statement = {
  name: 'isthmus_refill_records',
  text: 'SELECT count(*) FROM (SELECT FROM isthmus.record ORDER BY collection, key LIMIT $1) AS counted',
};

export class PostgresRefillStore implements RefillStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async find(): Promise<Refill | null> {
    return refillOf((await this.#connections.query(selectRefill)).rows[0]);
  }

  async want({ donor, accepted }: RefillWish): Promise<boolean> {
    const { rowCount } = await this.#connections.query(wantRefill, donor, textArray(accepted));
    return rowCount === 1;
  }

  async drain(): Promise<boolean> {
    return (await this.#connections.query(drainForRefill)).rowCount === 1;
  }

  async note(detail: string): Promise<void> {
    await this.#connections.query(noteRefill, detail.slice(0, maxDetailLength));
  }

  async secured(): Promise<boolean> {
    return (await this.#connections.query(securedRefill)).rowCount === 1;
  }

  async refuse(detail: string): Promise<boolean> {
    return (await this.#connections.query(refuseRefill, detail.slice(0, maxDetailLength))).rowCount === 1;
  }

  async withdraw(detail: string): Promise<boolean> {
    return (await this.#connections.query(withdrawRefill, detail.slice(0, maxDetailLength))).rowCount === 1;
  }

  async countRecords(limit: number): Promise<number> {
    return numberAt((await this.#connections.query(countRecords, limit)).rows[0] ?? [], 0);
  }
}

/** Of the only row of `selectRefill`, or of none. */
export function refillOf(row: Row | undefined): Refill | null {
  if (row === undefined) return null;
  const text = textAt(row, 1);
  const state = states.find((candidate) => candidate === text);
  assert(state !== undefined, `no state of a refill: ${text}`);
  return {
    donor: regionAt(row, 0),
    state,
    accepted: textAt(row, 2).split(' ').flatMap(actorIn),
    detail: textAt(row, 3),
    wantedAtMs: numberAt(row, 4),
    endedAtMs: nullableAt(row, 5, numberAt),
    wasDrained: booleanAt(row, 6),
  };
}

function actorIn(text: string): readonly Actor[] {
  const actor = parseActor(text);
  return actor === null ? [] : [actor];
}
