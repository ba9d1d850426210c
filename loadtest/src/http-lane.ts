/**
 * One keep-alive connection that carries one request at a time, made to cost little: the generator shares the machine
 * with what it measures. It understands what the region's listener sends, which is a status line, headers with a
 * content length and that many bytes; anything else is refused as unexpected rather than guessed at. `HttpLanes` hands
 * requests to the first lane that is free and lets the rest wait in order.
 */
import { connect, type Socket } from 'node:net';
import { LoadError } from './errors.ts';

const headEnd = Buffer.from('\r\n\r\n');
const nothing = Buffer.alloc(0);
/** More than one answer to a single write takes. */
const readBytes = 16 * 1024;
const lengthPattern = /\r\ncontent-length: *(\d+)\r\n/i;

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

interface Waiting {
  readonly request: string;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

class HttpLane {
  readonly #socket: Socket;
  readonly #onFree: (lane: HttpLane) => void;
  #current: Waiting | null = null;
  /** Of an answer that is not whole yet. */
  #received: Buffer = nothing;

  constructor(address: URL, onFree: (lane: HttpLane) => void) {
    this.#onFree = onFree;
    const room = Buffer.alloc(readBytes);
    this.#socket = connect({
      host: address.hostname,
      port: Number(address.port),
      noDelay: true,
      onread: {
        buffer: room,
        callback: (count) => {
          this.#take(room.subarray(0, count));
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(null));
  }

  send(waiting: Waiting): void {
    if (this.#socket.destroyed) {
      waiting.reject(new LoadError('connection-lost', 'the connection to the region has ended'));
      return;
    }
    this.#current = waiting;
    this.#socket.write(waiting.request);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** `bytes` are overwritten by what arrives next. */
  #take(bytes: Buffer): void {
    const received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const parsed = parseAnswer(received);
    if (parsed instanceof LoadError) return this.#fail(parsed);
    const rest = parsed === null ? received : received.subarray(parsed.endsAt);
    this.#received = rest.length === 0 ? nothing : Buffer.from(rest);
    if (parsed === null) return;
    const current = this.#current;
    this.#current = null;
    current?.resolve(parsed.answer);
    this.#onFree(this);
  }

  #fail(reason: unknown): void {
    this.#socket.destroy();
    const current = this.#current;
    this.#current = null;
    current?.reject(
      reason instanceof LoadError
        ? reason
        : new LoadError('connection-lost', 'the connection to the region broke', reason),
    );
  }
}

interface ParsedAnswer {
  readonly answer: HttpAnswer;
  readonly endsAt: number;
}

/** `null`: not whole yet. The body of a success is not decoded, because nobody reads it. */
export function parseAnswer(bytes: Buffer): ParsedAnswer | null | LoadError {
  const headLength = bytes.indexOf(headEnd);
  if (headLength === -1) return null;
  const head = bytes.toString('latin1', 0, headLength + 2);
  const status = Number(head.slice(9, 12));
  const length = lengthPattern.exec(head)?.[1];
  if (length === undefined && status !== 204) {
    return new LoadError('unexpected-answer', `an answer without content length: ${head.slice(0, 60)}`);
  }
  const bodyAt = headLength + headEnd.length;
  const endsAt = bodyAt + Number(length ?? 0);
  if (bytes.length < endsAt) return null;
  const body = status < 400 ? '' : bytes.toString('utf8', bodyAt, endsAt);
  return { answer: { status, body }, endsAt };
}

export class HttpLanes {
  readonly #lanes: readonly HttpLane[];
  readonly #free: HttpLane[];
  readonly #waiting: Waiting[] = [];
  readonly #host: string;

  constructor(base: string, count: number) {
    const address = new URL(base);
    this.#host = address.host;
    this.#lanes = Array.from({ length: count }, () => new HttpLane(address, (lane) => this.#release(lane)));
    this.#free = [...this.#lanes];
  }

  /** Rejects unless the answer is a success. */
  async send(method: string, path: string, body: unknown): Promise<void> {
    const { status, body: problem } = await this.#ask(requestText(method, path, { host: this.#host, body }));
    if (status >= 400) throw new LoadError('unexpected-answer', `${method} ${path}: ${status} ${problem}`);
  }

  close(): void {
    for (const lane of this.#lanes) lane.close();
  }

  #ask(request: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const waiting = { request, resolve, reject };
      const lane = this.#free.pop();
      if (lane === undefined) this.#waiting.push(waiting);
      else lane.send(waiting);
    });
  }

  #release(lane: HttpLane): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#free.push(lane);
    else lane.send(waiting);
  }
}

function requestText(method: string, path: string, { host, body }: { host: string; body: unknown }): string {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\nprefer: return=minimal\r\ncontent-length: ${length}\r\n\r\n${text}`;
}
