/**
 * Transfers and sweeps on the admin listener: for operators, who ask for them and watch them, and for peers, who read
 * from this region. What an operator asks for is noted in the database and done by whichever process replicates, so it
 * does not matter which one was asked. A peer's request changes nothing here.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import { decodeRequest, encodeAnswer } from '@isthmus/replication/log/transfer-message';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { TransferAnswer } from '@isthmus/replication/ports/transfer-peer';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import type { Donor } from '@isthmus/replication/transfer/donor';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathParameter, queryParameter } from '../api/requests.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { invalid } from '../records/field-edit.ts';
import { flagParameter } from './flag-parameter.ts';
import { requirePeer } from './peer-access.ts';
import { type TransferView, transferView } from './transfer-view.ts';

export interface TransferAdmin {
  readonly donor: Pick<Donor, 'answer'>;
  readonly jobs: TransferJobs;
  readonly verifications: Pick<VerificationStore, 'all' | 'want'>;
  readonly peers: readonly RegionId[];
  /** What peers show; empty: only this machine is served. */
  readonly secret: string;
}

export const transferMediaType = 'application/vnd.isthmus.transfer';

export function addTransferRoutes(app: Listener, parts: () => TransferAdmin): void {
  app.addContentTypeParser(transferMediaType, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  // Before the body is read: whoever is no peer sends none.
  const onRequest = async (request: FastifyRequest): Promise<void> => requirePeer(request, parts().secret);
  app.post('/v1/transfer/ask', { onRequest }, (request, reply) => ask(parts(), request, reply));
  app.post('/v1/transfer', (request, reply) => want(parts(), request, reply));
  app.get('/v1/transfers', async () => ({ transfers: (await parts().jobs.recent()).map(transferView) }));
  app.get('/v1/transfers/:id', (request) => show(parts(), request));
  app.post('/v1/sweep', (request, reply) => sweep(parts(), request, reply));
}

async function ask({ donor }: TransferAdmin, request: FastifyRequest, reply: FastifyReply) {
  const { body } = request;
  if (!Buffer.isBuffer(body))
    throw new Problem('unsupported-media-type', `Requests of peers are sent as ${transferMediaType}.`);
  const answer = await answered(donor, body);
  return reply.type(transferMediaType).send(Buffer.from(encodeAnswer(answer)));
}

async function answered(donor: TransferAdmin['donor'], body: Buffer): Promise<TransferAnswer> {
  try {
    return await donor.answer(decodeRequest(body));
  } catch (reason) {
    if (!(reason instanceof ReplicationError) || reason.code !== 'malformed-record') throw reason;
    return { kind: 'refused', refusal: 'malformed-request', detail: reason.message };
  }
}

/** From one peer or from all of them. */
async function want({ jobs, peers }: TransferAdmin, request: FastifyRequest, reply: FastifyReply) {
  const isDryRun = flagParameter(request, 'dryRun');
  const views: TransferView[] = [];
  for (const donor of chosen(peers, request, 'from')) {
    const id = await jobs.want({ donor, origin: donor, cause: 'repair', isDryRun });
    const job = await jobs.find(id);
    if (job !== null) views.push(transferView(job));
  }
  return reply.status(202).send({ dryRun: isDryRun, transfers: views });
}

async function show({ jobs }: TransferAdmin, request: FastifyRequest): Promise<TransferView> {
  const text = pathParameter(request, 'id');
  const job = /^[0-9]{1,15}$/.test(text) ? await jobs.find(Number(text)) : null;
  if (job === null) throw new Problem('not-found', 'There is no transfer with this number.');
  return transferView(job);
}

async function sweep({ verifications, peers }: TransferAdmin, request: FastifyRequest, reply: FastifyReply) {
  const dryRun = flagParameter(request, 'dryRun');
  const wanted = chosen(peers, request, 'peer');
  if (!dryRun) await verifications.want(wanted);
  return reply.status(202).send({ dryRun, peers: wanted });
}

function chosen(peers: readonly RegionId[], request: FastifyRequest, name: string): readonly RegionId[] {
  const text = queryParameter(request, name);
  if (text === null) return peers;
  const peer = peers.find((candidate) => candidate === text);
  if (peer !== undefined) return [peer];
  const fault = { rule: 'one-of', limit: [...peers], value: text.slice(0, 64) };
  throw invalid(name, {
    ...fault,
    what: peers.length === 0 ? 'there is no peer' : `takes ${peers.join(', ')}`,
  });
}
