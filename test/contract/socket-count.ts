/** Counts the bytes that sockets carry which this process opens until `close`; goes on counting those after it. */
import { type AsyncHook, createHook } from 'node:async_hooks';

interface Counted {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export class SocketCount {
  readonly #sockets: Counted[] = [];
  readonly #hook: AsyncHook;

  constructor() {
    this.#hook = createHook({
      init: (_id, type, _trigger, resource) => {
        if (type === 'TCPWRAP' && isCounted(resource)) this.#sockets.push(resource);
      },
    }).enable();
  }

  get bytesRead(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);
  }

  get bytesWritten(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0);
  }

  close(): void {
    this.#hook.disable();
  }
}

function isCounted(resource: object): resource is Counted {
  return 'bytesRead' in resource && 'bytesWritten' in resource;
}
