/**
 * The port `IdentityStore` on Postgres: the identity row beside what the server says of itself, and the own beats. It
 * judges nothing. A proof is recorded only on the very server that was compared; a hold ends every other connection of
 * ours, so that no process goes on with one that was opened before.
 */
import type { Beat, Lsn } from '../../ports/change.ts';
import type { Adoption, Continuity, IdentityStore, Lineage, NewestBeat } from '../../ports/identity-store.ts';
import type { Incarnation } from '../../ports/identity.ts';
import { adopt } from './adopt.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { recordAcceptance, recordClaim, recordHold, recordProof, selectClaim } from './identity-row.ts';
import { incarnationAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { booleanAt, lsnAt, numberAt } from './row-values.ts';
import type { Session, Statement } from './session.ts';

const beatColumns = `number, lsn::text, ${milliseconds('at')}`;

const selectNewest: Statement = {
  name: 'isthmus_beat_newest',
  text: `SELECT ${beatColumns}, EXISTS (SELECT FROM isthmus.beat WHERE published)
  FROM isthmus.beat ORDER BY number DESC LIMIT 1`,
};

const selectEnd: Statement = {
  name: 'isthmus_identity_end_of_log',
  text: 'SELECT pg_current_wal_insert_lsn()::text',
};

/**
 * It stands still when recovery or standby has ended, while the start itself goes on to write: checkpoints, images of pages
 * whose hints are set by the first readers. `null` after a clean end.
 */
const selectRecovered: Statement = {
  name: 'isthmus_identity_recovered_to',
  text: 'SELECT coalesce(pg_last_wal_replay_lsn(), pg_current_wal_insert_lsn())::text',
};

const selectBetween: Statement = {
  name: 'isthmus_beats_between',
  text: `SELECT ${beatColumns} FROM isthmus.beat WHERE number BETWEEN $1 AND $2 ORDER BY number`,
};

export class PostgresIdentityStore implements IdentityStore {
  readonly #connections: Connections;
  readonly #slotName: string;

  constructor(connections: Connections, slotName: string) {
    this.#connections = connections;
    this.#slotName = slotName;
  }

  get standing(): Continuity['kind'] {
    return this.#connections.standing;
  }

  continuity(): Promise<Continuity> {
    return this.#connections.read((session) => this.#connections.continuity(session));
  }

  async newestBeat(): Promise<NewestBeat> {
    const answer = await this.#connections.query(selectNewest);
    const row = answer.rows[0];
    if (row === undefined) return { beat: null, hasPublished: false };
    return { beat: beatOf(row), hasPublished: booleanAt(row, 3) };
  }

  async insertLsn(): Promise<Lsn> {
    const { rows } = await this.#connections.query(selectEnd);
    return lsnAt(rows[0] ?? [], 0);
  }

  async recoveredTo(): Promise<Lsn> {
    const { rows } = await this.#connections.query(selectRecovered);
    return lsnAt(rows[0] ?? [], 0);
  }

  async beats(from: number, to: number): Promise<readonly Beat[]> {
    const answer = await this.#connections.query(selectBetween, from, to);
    return answer.rows.map(beatOf);
  }

  async prove({ timeline, postmasterStart }: Lineage): Promise<void> {
    await this.#connections.query(recordProof, timeline, postmasterStart);
  }

  async hold(reason: string, { isLastWord } = { isLastWord: false }): Promise<void> {
    await this.#last((session) => session.query(recordHold, reason, isLastWord));
    this.#connections.wereHeld();
  }

  async accept(): Promise<void> {
    await this.#connections.query(recordAcceptance);
  }

  async claim(): Promise<Incarnation | null> {
    const row = (await this.#connections.query(selectClaim)).rows[0];
    return row === undefined ? null : incarnationAt(row, 0);
  }

  async noteClaim({ counter, nonce }: Incarnation): Promise<Incarnation> {
    const { rows } = await this.#connections.query(recordClaim, counter, nonce);
    return incarnationAt(rows[0] ?? [], 0);
  }

  async adopt(adoption: Adoption, signal?: AbortSignal): Promise<void> {
    await this.#last((session) => adopt(session, adoption, { slotName: this.#slotName, signal }));
  }

  /** All other connections end, and this one, which was open before as well. */
  async #last(work: (session: Session) => Promise<unknown>): Promise<void> {
    const session = await this.#connections.checkOut('read');
    try {
      await work(session);
    } finally {
      session.drop();
    }
  }
}

function beatOf(row: Row): Beat {
  return { number: numberAt(row, 0), lsn: lsnAt(row, 1), atMs: numberAt(row, 2) };
}
