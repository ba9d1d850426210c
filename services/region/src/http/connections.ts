/**
 * What a listener does about connections beside their requests. One that sends nothing is cut after a while, because Node
 * limits a request from its first byte on and would let such connections take all places for good. Bytes that are no
 * request are answered, unless a request that came before them on the same connection has no answer yet: its caller
 * would take the refusal for that answer, though a write may happen. Then the connection is cut, which says nothing.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { answerClientError, type ClientErrorMarks } from './client-error.ts';

export class Connections {
  readonly #unanswered = new WeakMap<Socket, Set<IncomingMessage>>();
  readonly #firstByteMs: number;

  constructor(firstByteMs: number) {
    this.#firstByteMs = firstByteMs;
  }

  watch(server: Server): void {
    // What else a caller expects than to go on we cannot promise, and the answer says what came of it.
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
    server.on('connection', (socket: Socket) => this.#limitSilence(socket));
    server.on('request', (request, response) => {
      const { socket } = request;
      const unanswered = this.#unanswered.get(socket) ?? new Set();
      this.#unanswered.set(socket, unanswered.add(request));
      response.once('close', () => unanswered.delete(request));
    });
  }

  refuse(error: { readonly code?: string | undefined }, socket: Socket, marks: () => ClientErrorMarks): void {
    const isAnothersTurn = [...(this.#unanswered.get(socket) ?? [])].some(({ complete }) => complete);
    if (error.code === 'ECONNRESET' || !socket.writable || isAnothersTurn) socket.destroy();
    else answerClientError(error, socket, marks());
  }

  #limitSilence(socket: Socket): void {
    const timer = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy();
    }, this.#firstByteMs);
    socket.once('close', () => clearTimeout(timer));
  }
}
