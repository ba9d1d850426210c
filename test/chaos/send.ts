/** One operation as a request to a region, and what its answer says about it. */
import { z } from 'zod';
import type { Operation, Result } from '../checkers/history.ts';
import { isRefusedConnection, type RegionClient, type Reply, resultOf } from '../e2e/region-client.ts';

export interface Outcome {
  /** With what it saw where it had to look first. */
  readonly operation: Operation;
  readonly result: Result;
  readonly status: number | null;
}

const record = z.object({
  value: z.object({ title: z.string().optional(), tags: z.array(z.string()).optional() }),
});

const collection = 'products';

export async function send(client: RegionClient, drawn: Operation): Promise<Outcome> {
  let operation = drawn;
  try {
    operation = await look(client, drawn);
    if (isVoid(operation)) return { operation, result: 'fail', status: 404 };
  } catch {
    // Only a look was lost: nothing was asked for.
    return { operation, result: 'fail', status: null };
  }
  try {
    const reply = await request(client, operation);
    return { operation, result: resultOf(reply), status: reply.status };
  } catch (reason) {
    return { operation, result: isRefusedConnection(reason) ? 'fail' : 'info', status: null };
  }
}

/** There is nothing that it could remove. */
function isVoid(operation: Operation): boolean {
  return (
    (operation.kind === 'remove' && operation.element === null) ||
    (operation.kind === 'delete' && operation.saw === null)
  );
}

async function look(client: RegionClient, operation: Operation): Promise<Operation> {
  if (operation.kind !== 'remove' && operation.kind !== 'delete') return operation;
  const found = record.safeParse((await client.get(collection, operation.key)).body);
  const { title, tags } = found.data?.value ?? {};
  return operation.kind === 'remove'
    ? { ...operation, element: tags?.at(-1) ?? null }
    : { ...operation, saw: title ?? null };
}

function request(client: RegionClient, operation: Operation): Promise<Reply> {
  const { key } = operation;
  const patch = (edits: unknown): Promise<Reply> => client.patch(collection, key, edits);
  switch (operation.kind) {
    case 'increment':
      return patch({ increment: { likes: operation.amount } });
    case 'refill':
      return patch({ refill: { stock: operation.amount } });
    case 'spend':
      return patch({ spend: { stock: operation.amount } });
    case 'set':
      return patch({ set: { title: operation.value } });
    case 'add':
      return patch({ add: { tags: [operation.element] } });
    case 'remove':
      return patch({ remove: { tags: [operation.element] } });
    case 'note':
      return patch({ splice: { notes: [{ at: 0, insert: operation.token }] } });
    case 'insert':
      return client.put(collection, key, { title: key });
    case 'put':
      return patch({ set: { title: operation.value } });
    case 'delete':
      return client.delete(collection, key);
  }
}
