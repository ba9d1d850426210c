/**
 * The port `TransferPeer` over HTTP: one POST for each request to the peer's admin listener, binary both ways, sealed,
 * and bounded in time from the first byte of connecting to the last of the answer, and in bytes. Whatever goes wrong is
 * `peer-unavailable`: the receiver asks again.
 */
import http from 'node:http';
import https from 'node:https';
import { ReplicationError } from '@isthmus/replication/errors';
import { decodeAnswer, encodeRequest, maxTransferBytes } from '@isthmus/replication/log/transfer-message';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { TransferAnswer, TransferPeer, TransferRequest } from '@isthmus/replication/ports/transfer-peer';
import { peerHeaders } from './admin/peer-access.ts';
import { transferMediaType } from './admin/transfer-routes.ts';

const timeoutMs = 15_000;
const closeTimeoutMs = 1000;

export interface HttpTransferPeerOptions {
  /** Base address of each peer's admin listener, without a slash at the end. */
  readonly admins: ReadonlyMap<RegionId, string>;
  /** Empty: none is shown. */
  readonly secret: string;
}

export class HttpTransferPeer implements TransferPeer {
  readonly #admins: ReadonlyMap<RegionId, string>;
  readonly #access: Readonly<Record<string, string>>;
  readonly #plain = new http.Agent({ keepAlive: true, maxSockets: 4 });
  readonly #secure = new https.Agent({ keepAlive: true, maxSockets: 4 });
  readonly #underWay = new Set<http.ClientRequest>();
  #isClosed = false;

  constructor({ admins, secret }: HttpTransferPeerOptions) {
    this.#admins = admins;
    this.#access = peerHeaders(secret);
  }

  async ask(peer: RegionId, request: TransferRequest, signal?: AbortSignal): Promise<TransferAnswer> {
    const admin = this.#admins.get(peer);
    if (admin === undefined) throw unavailable(`no address of ${peer} is configured`);
    if (this.#isClosed || signal?.aborted === true) throw unawaited();
    try {
      const post = this.#post(new URL(`${admin}/v1/transfer/ask`), request);
      if (signal !== undefined) endWith(post, signal);
      const response = await responseOf(post);
      if (response.statusCode === 200) return decodeAnswer(await boundedBody(response));
      response.destroy();
      throw unavailable(whyNot(peer, response.statusCode ?? 0));
    } catch (reason) {
      if (reason instanceof ReplicationError && reason.code === 'peer-unavailable') throw reason;
      const detail = reason instanceof Error ? reason.message : String(reason);
      throw unavailable(`${peer} does not answer: ${detail}`, reason);
    }
  }

  /** What is asked ends; also what still waits for a connection, which an agent would open even now. */
  close(): void {
    this.#isClosed = true;
    for (const request of this.#underWay) request.destroy(unawaited());
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #post(url: URL, asked: TransferRequest): http.ClientRequest {
    const body = encodeRequest(asked);
    const signal = AbortSignal.timeout(asked.kind === 'close' ? closeTimeoutMs : timeoutMs);
    const headers = { ...this.#access, 'content-type': transferMediaType, 'content-length': body.length };
    const options = { method: 'POST', headers, signal };
    const request =
      url.protocol === 'https:'
        ? https.request(url, { ...options, agent: this.#secure })
        : http.request(url, { ...options, agent: this.#plain });
    this.#underWay.add(request);
    request.once('close', () => this.#underWay.delete(request));
    return request.end(body);
  }
}

function responseOf(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
}

/** No signal made of two: one that lives as long as the process would remember each that was made of it. */
function endWith(request: http.ClientRequest, signal: AbortSignal): void {
  const end = (): void => void request.destroy(unawaited());
  signal.addEventListener('abort', end, { once: true });
  request.once('close', () => signal.removeEventListener('abort', end));
}

function whyNot(peer: RegionId, status: number): string {
  if (status !== 401) return `${peer} answers ${status}`;
  return `${peer} refuses us as a peer: ISTHMUS_PEER_SECRET has to be the same there and here`;
}

async function boundedBody(response: http.IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > maxTransferBytes) throw unavailable(`an answer of more than ${maxTransferBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function unawaited(): ReplicationError {
  return unavailable('nobody waits for the answer any more');
}

function unavailable(message: string, cause?: unknown): ReplicationError {
  return new ReplicationError('peer-unavailable', message, { retriable: true, cause });
}
