/** The port `JoiningStore` on Postgres: a mark in the identity row. What it writes is durable on return. */
import type { JoiningStore } from '../../ports/joining-store.ts';
import type { Connections } from './connections.ts';
import { booleanAt } from './row-values.ts';
import type { Statement } from './session.ts';

const selectJoining: Statement = {
  name: 'isthmus_joining',
  text: 'SELECT joining FROM isthmus.identity',
};

const endJoining: Statement = {
  name: 'isthmus_joined',
  text: 'UPDATE isthmus.identity SET joining = false WHERE joining',
};

export class PostgresJoiningStore implements JoiningStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async isJoining(): Promise<boolean> {
    const { rows } = await this.#connections.query(selectJoining);
    return booleanAt(rows[0] ?? [], 0);
  }

  async joined(): Promise<void> {
    await this.#connections.write((session) => session.query(endJoining));
  }
}
