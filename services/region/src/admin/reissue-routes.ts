/**
 * Takes rows that a retired region exported and issues them again as ordinary edits of this one (P6). Each row is one
 * local transaction with the note that it is done, so trying again does no harm and a row that is refused can be tried
 * later. Bytes of rows are checked before anything is done with them, and a counter whose beginning nobody knows is left
 * alone unless the caller says otherwise, because it might be counted twice.
 */
import { ConflictError, validate } from '@isthmus/conflict';
import type { Journal } from '@isthmus/replication/journal/journal';
import { maxTransferBytes } from '@isthmus/replication/log/transfer-message';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type ApiParts, collectionOf, refuseWhileDraining } from '../api/api-parts.ts';
import { checkKey } from '../api/names.ts';
import { requireBody } from '../api/requests.ts';
import type { Drain } from '../drain.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { invalid } from '../records/field-edit.ts';
import { type ReissueRow, type Reissued, reissueEdits } from '../records/reissue-edit.ts';
import { flagParameter } from './flag-parameter.ts';

export interface ReissueParts extends Pick<ApiParts, 'collections' | 'guards'> {
  readonly journal: Pick<Journal, 'write'>;
}

/** What a survivor holds comes in one answer of a transfer, and one life's changes to a record are no more than a state. */
const longestBytes = 4 * Math.ceil(maxTransferBytes / 3);
/** One row at its largest: every row of an export can be sent by itself. */
const maxReissueBytes = 2 * longestBytes + 64 * 1024;
const maxRows = 200;

const bytesText = z.base64().max(longestBytes);
const rowForm = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  actor: z.string().max(64),
  collection: z.string(),
  key: z.string(),
  delta: bytesText,
  base: bytesText.nullable(),
  needsBase: z.boolean(),
});
const bodyForm = z.object({ rows: z.array(rowForm).max(maxRows), uncertain: z.boolean().default(false) });

type Form = z.infer<typeof bodyForm>;
type RowForm = Form['rows'][number];

interface RowAnswer {
  readonly id: string;
  readonly outcome: Reissued | 'uncertain' | 'refused';
  /** Why it was refused. */
  readonly code?: string;
  readonly detail?: string;
}

export function addReissueRoutes(app: Listener, parts: () => ReissueParts, drain: Drain): void {
  app.post('/v1/reissue', { bodyLimit: maxReissueBytes }, (request) =>
    reissue({ ...parts(), drain }, request),
  );
}

async function reissue(parts: ReissueParts & { readonly drain: Drain }, request: FastifyRequest) {
  const isDry = flagParameter(request, 'dryRun');
  if (!isDry) refuseWhileDraining(parts.drain);
  const { rows, uncertain } = formOf(requireBody(request));
  const read = rows.map((row, index) => rowOf(parts, row, `rows[${index}]`));
  if (!isDry)
    parts.guards.check(
      rows.map(({ collection }) => collection),
      (index) => `rows[${index}].collection`,
    );
  const results: RowAnswer[] = [];
  for (const [index, row] of read.entries()) {
    const isUnknown = rows[index]?.needsBase === true && row.base === null && !uncertain;
    results.push(isUnknown ? { id: row.id, outcome: 'uncertain' } : await issue(parts, row, isDry));
  }
  return { dryRun: isDry, results };
}

async function issue(parts: ReissueParts, row: ReissueRow, isDry: boolean): Promise<RowAnswer> {
  const { id } = row;
  const edits = reissueEdits(row, collectionOf(parts, row.collection), isDry);
  const outcome = await parts.journal.write(edits);
  if (outcome.kind === 'refused') {
    if (!(outcome.refusal instanceof Problem)) return { id, outcome: outcome.refusal };
    return { id, outcome: 'refused', code: outcome.refusal.code, detail: outcome.refusal.message };
  }
  return { id, outcome: outcome.results[1] === 'nothing-left' ? 'nothing-left' : 'issued' };
}

function formOf(body: unknown): Form {
  const read = bodyForm.safeParse(body);
  if (read.success) return read.data;
  const path = read.error.issues[0]?.path.map(String).join('.') ?? '';
  throw invalid(path, {
    rule: 'export-row',
    limit: maxRows,
    value: null,
    what: `takes rows as /v1/unreplicated writes them, at most ${maxRows} in one request`,
  });
}

/** Throws where the bytes are none of a change. */
function rowOf(parts: ReissueParts, row: RowForm, path: string): ReissueRow {
  const { id, actor, collection, key, delta, base } = row;
  collectionOf(parts, collection);
  return {
    id,
    actor,
    collection,
    key: checkKey(key, `${path}.key`),
    delta: bytesOf(delta, `${path}.delta`),
    base: base === null ? null : bytesOf(base, `${path}.base`),
  };
}

function bytesOf(text: string, path: string): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  try {
    validate(bytes);
    return bytes;
  } catch (reason) {
    if (!(reason instanceof ConflictError)) throw reason;
    throw invalid(path, {
      rule: 'change',
      limit: null,
      value: null,
      what: `holds no change: ${reason.message}`,
    });
  }
}
