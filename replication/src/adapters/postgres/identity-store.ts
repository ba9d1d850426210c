/**
 * The port `IdentityStore` on Postgres: the identity row beside what the server says of itself, and the own beats. It
 * judges nothing. A proof is recorded only on the very server that was compared; a hold ends every other connection of
 * ours, so that no process goes on with one that was opened before.
 */
import type { Beat } from '../../ports/change.ts';
import type { Continuity, IdentityStore, Lineage, NewestBeat } from '../../ports/identity-store.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { recordAcceptance, recordHold, recordProof } from './identity-row.ts';
import type { Row } from './row-values.ts';
import { booleanAt, lsnAt, numberAt } from './row-values.ts';
import type { Statement } from './session.ts';

const beatColumns = `number, lsn::text, ${milliseconds('at')}`;

const selectNewest: Statement = {
  name: 'isthmus_beat_newest',
  text: `SELECT ${beatColumns}, EXISTS (SELECT FROM isthmus.beat WHERE published)
  FROM isthmus.beat ORDER BY number DESC LIMIT 1`,
};

const selectBetween: Statement = {
  name: 'isthmus_beats_between',
  text: `SELECT ${beatColumns} FROM isthmus.beat WHERE number BETWEEN $1 AND $2 ORDER BY number`,
};

export class PostgresIdentityStore implements IdentityStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
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

  async beats(from: number, to: number): Promise<readonly Beat[]> {
    const answer = await this.#connections.query(selectBetween, from, to);
    return answer.rows.map(beatOf);
  }

  async prove({ timeline, postmasterStart }: Lineage): Promise<void> {
    await this.#connections.query(recordProof, timeline, postmasterStart);
  }

  async hold(reason: string): Promise<void> {
    const session = await this.#connections.checkOut('read');
    try {
      await session.query(recordHold, reason);
    } finally {
      // It was open before, too.
      session.drop();
    }
  }

  async accept(): Promise<void> {
    await this.#connections.query(recordAcceptance);
  }
}

function beatOf(row: Row): Beat {
  return { number: numberAt(row, 0), lsn: lsnAt(row, 1), atMs: numberAt(row, 2) };
}
