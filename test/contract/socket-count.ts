/** Counts the bytes that sockets opened by this process carry. */
import { subscribe as listen, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';

/** Counts what passes through every socket that this process opens until `close`; goes on counting those after it. */
export class SocketCount {
  readonly #sockets: Socket[] = [];
  readonly #notice = (message: unknown): void => {
    const socket =
      typeof message === 'object' && message !== null && 'socket' in message ? message.socket : null;
    if (socket instanceof Socket) this.#sockets.push(socket);
  };

  constructor() {
    listen('net.client.socket', this.#notice);
  }

  get bytesRead(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);
  }

  get bytesWritten(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0);
  }

  close(): void {
    unsubscribe('net.client.socket', this.#notice);
  }
}
