/**
 * The engine writer as the load test holds it: a child process that is given one order at a time. Its death while an
 * order runs is a failure of that order, told with what it last said. It ends when it is closed or we end.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Demo } from '../demo.ts';
import { LoadError } from '../errors.ts';
import { type FromWriter, fromWriter, type ToWriter, type WriterDone } from './protocol.ts';

const program = fileURLToPath(new URL('main.js', import.meta.url));
const saidLimit = 4_000;

export class EngineWriter {
  readonly #child: ChildProcess;
  #said = '';
  #onMessage: (message: FromWriter) => void = () => undefined;
  #onEnd: (reason: LoadError) => void = () => undefined;
  /** Bytes of a record's JSON, as the writer drew them. */
  meanBytes = 0;

  private constructor() {
    this.#child = fork(program, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#said = (this.#said + chunk.toString()).slice(-saidLimit);
      });
    }
    this.#child.on('message', (message) => this.#onMessage(fromWriter.parse(message)));
    this.#child.on('exit', (code) => {
      this.#onEnd(new LoadError('child-failed', `the engine writer ended with ${code}: ${this.#said}`));
    });
  }

  static async open(demo: Demo, workload: { seed: number; keyCount: number }): Promise<EngineWriter> {
    const writer = new EngineWriter();
    const { region, database } = demo.origin;
    const peers = [demo.target.region];
    const opened = await writer.#order(
      { kind: 'open', database, region, peers, ...workload },
      () => undefined,
    );
    if (opened.kind === 'opened') writer.meanBytes = opened.meanBytes;
    return writer;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What comes next is under so many keys, each once before any comes again. */
  async drawFrom(keyCount: number): Promise<void> {
    await this.#order({ kind: 'keys', keyCount }, () => undefined);
  }

  /** As fast as the engine takes them. */
  write(count: number): Promise<WriterDone> {
    return this.#run({ kind: 'write', count }, () => undefined);
  }

  /** At a set rate; `onProgress` hears how many were acknowledged so far. */
  runAt(
    load: { readonly ratePerS: number; readonly durationMs: number },
    onProgress: (acknowledged: number) => void,
  ): Promise<WriterDone> {
    return this.#run({ kind: 'run', ...load }, onProgress);
  }

  /** By so many callers, each waiting for its answer. A write that the engine refuses ends the process. */
  writeFrom(callers: number, durationMs: number): Promise<WriterDone> {
    return this.#run({ kind: 'callers', callers, durationMs }, () => undefined);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || !this.#child.connected) return;
    const exited = once(this.#child, 'exit');
    this.#child.send({ kind: 'close' } satisfies ToWriter);
    await exited;
  }

  async #run(order: ToWriter, onProgress: (acknowledged: number) => void): Promise<WriterDone> {
    const done = await this.#order(order, (message) => {
      if (message.kind === 'progress') onProgress(message.acknowledged);
    });
    if (done.kind === 'done') return done;
    throw new LoadError('child-failed', `the engine writer answered ${done.kind}`);
  }

  /** Resolves with the first message that is not progress. */
  #order(order: ToWriter, onProgress: (message: FromWriter) => void): Promise<FromWriter> {
    return new Promise((resolve, reject) => {
      this.#onEnd = reject;
      this.#onMessage = (message) => {
        if (message.kind === 'progress') onProgress(message);
        else resolve(message);
      };
      this.#child.send(order);
    });
  }
}
