/** The port `TransferJobs` on Postgres. The newest two hundred jobs that have ended are kept. */
import { assert } from '../../errors.ts';
import { decodeBeats, decodeVector, encodeBeats, encodeVector } from '../../log/offer-bytes.ts';
import type {
  TransferCause,
  TransferJob,
  TransferJobs,
  TransferPlace,
  TransferState,
  TransferWish,
} from '../../ports/transfer-jobs.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { booleanAt, bytesAt, nullableAt, numberAt, textAt } from './row-values.ts';
import type { Call, Statement } from './session.ts';

const keptJobs = 200;
const shownJobs = 100;
const maxDetailLength = 500;
const causes: readonly TransferCause[] = [
  'gap',
  'no-position',
  'other-incarnation',
  'slot-lost',
  'tail',
  'own-past',
  'refill',
  'sweep',
  'repair',
];
const states: readonly TransferState[] = ['wanted', 'running', 'done', 'failed'];

const isOpen = "state IN ('wanted', 'running')";
const columns = `id, donor, origin, cause, dry_run, state, cursor_collection, cursor_key, vector, examined, differing,
  merged, refused, bytes, ${milliseconds('wanted_at')}, ${milliseconds('started_at')}, ${milliseconds('ended_at')}, detail, beats`;

const insertJob: Statement = {
  name: 'isthmus_transfer_want',
  text: `INSERT INTO isthmus.transfer AS old (donor, origin, cause, dry_run) VALUES ($1, $2, $3, $4)
  ON CONFLICT (donor, dry_run) WHERE ${isOpen} DO UPDATE SET detail = old.detail RETURNING id`,
};

export const selectOpen: Statement = {
  name: 'isthmus_transfer_open',
  text: `SELECT ${columns} FROM isthmus.transfer WHERE ${isOpen} ORDER BY id`,
};

const selectOne: Statement = {
  name: 'isthmus_transfer_find',
  text: `SELECT ${columns} FROM isthmus.transfer WHERE id = $1`,
};

const selectRecent: Statement = {
  name: 'isthmus_transfer_recent',
  text: `SELECT ${columns} FROM isthmus.transfer ORDER BY id DESC LIMIT ${shownJobs}`,
};

const startJob: Statement = {
  name: 'isthmus_transfer_start',
  text: `UPDATE isthmus.transfer SET state = 'running', started_at = coalesce(started_at, clock_timestamp())
  WHERE id = $1 AND ${isOpen}`,
};

const noteJob: Statement = {
  name: 'isthmus_transfer_note',
  text: `UPDATE isthmus.transfer SET cursor_collection = $2, cursor_key = $3, vector = $4, examined = $5, differing = $6,
    merged = $7, refused = $8, bytes = $9, beats = $10, detail = '' WHERE id = $1 AND ${isOpen}`,
};

const postponeJob: Statement = {
  name: 'isthmus_transfer_postpone',
  text: `UPDATE isthmus.transfer SET detail = $2 WHERE id = $1 AND ${isOpen}`,
};

const endJob: Statement = {
  name: 'isthmus_transfer_end',
  text: `UPDATE isthmus.transfer SET state = $2, detail = $3, ended_at = clock_timestamp() WHERE id = $1 AND ${isOpen}`,
};

const pruneJobs: Statement = {
  name: 'isthmus_transfer_prune',
  text: `DELETE FROM isthmus.transfer WHERE NOT (${isOpen}) AND id <= (
    SELECT id FROM isthmus.transfer ORDER BY id DESC OFFSET ${keptJobs} LIMIT 1)`,
};

export class PostgresTransferJobs implements TransferJobs {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async want({ donor, origin, cause, isDryRun }: TransferWish): Promise<number> {
    const answer = await this.#connections.write((session) =>
      session.query(insertJob, donor, origin, cause, isDryRun),
    );
    return numberAt(answer.rows[0] ?? [], 0);
  }

  async open(): Promise<readonly TransferJob[]> {
    return (await this.#connections.query(selectOpen)).rows.map(jobOf);
  }

  async find(id: number): Promise<TransferJob | null> {
    const row = (await this.#connections.query(selectOne, id)).rows[0];
    return row === undefined ? null : jobOf(row);
  }

  async recent(): Promise<readonly TransferJob[]> {
    return (await this.#connections.query(selectRecent)).rows.map(jobOf);
  }

  async start(id: number): Promise<void> {
    await this.#write([startJob, id]);
  }

  async note(id: number, { cursor, vector, beats, counts }: TransferPlace): Promise<void> {
    const { examined, differing, merged, refused, bytes } = counts;
    const bound = vector === null ? null : encodeVector(vector);
    const place = [cursor.collection, cursor.key, bound] as const;
    await this.#write([
      noteJob,
      id,
      ...place,
      examined,
      differing,
      merged,
      refused,
      bytes,
      encodeBeats(beats),
    ]);
  }

  async postpone(id: number, detail: string): Promise<void> {
    await this.#write([postponeJob, id, detail.slice(0, maxDetailLength)]);
  }

  async end(
    id: number,
    outcome: { readonly state: 'done' | 'failed'; readonly detail: string },
  ): Promise<void> {
    await this.#write([endJob, id, outcome.state, outcome.detail.slice(0, maxDetailLength)]);
    await this.#write([pruneJobs]);
  }

  async #write(call: Call): Promise<void> {
    await this.#connections.write((session) => session.query(...call));
  }
}

export function jobOf(row: Row): TransferJob {
  const vector = nullableAt(row, 8, bytesAt);
  const beats = nullableAt(row, 18, bytesAt);
  return {
    id: numberAt(row, 0),
    donor: regionAt(row, 1),
    origin: regionAt(row, 2),
    cause: oneOf(causes, textAt(row, 3)),
    isDryRun: booleanAt(row, 4),
    state: oneOf(states, textAt(row, 5)),
    place: {
      cursor: { collection: textAt(row, 6), key: textAt(row, 7) },
      vector: vector === null ? null : decodeVector(vector),
      beats: beats === null ? [] : decodeBeats(beats),
      counts: {
        examined: numberAt(row, 9),
        differing: numberAt(row, 10),
        merged: numberAt(row, 11),
        refused: numberAt(row, 12),
        bytes: numberAt(row, 13),
      },
    },
    wantedAtMs: numberAt(row, 14),
    startedAtMs: nullableAt(row, 15, numberAt),
    endedAtMs: nullableAt(row, 16, numberAt),
    detail: textAt(row, 17),
  };
}

function oneOf<T extends string>(values: readonly T[], text: string): T {
  const value = values.find((candidate) => candidate === text);
  assert(value !== undefined, `none of ${values.join(', ')}: ${text}`);
  return value;
}
