/**
 * Carries bytes from one socket to another as a long wire does: each piece arrives a fixed time after
 * it was sent, in order, with as much on the way at once as the bandwidth gives. It is not a sleep
 * between pieces: throughput does not fall with the delay until the wire is full, and then the sender
 * is held back. A held line moves nothing in either sense and loses nothing. What a wire holds is
 * bounded, by itself and together with the others of its budget.
 */
import type { Socket } from 'node:net';

const lineLimitBytes = 8 * 1024 * 1024;
/** What a queued piece costs beside its bytes, so that many small pieces are bounded too. */
const pieceCostBytes = 256;
const compactAfterPieces = 1_024;

export type Flow = { readonly kind: 'flowing'; readonly delayMs: number } | { readonly kind: 'held' };

/** Bytes that several lines may hold together; those that wait for room are woken when there is some. */
export class LineBudget {
  readonly #limitBytes: number;
  readonly #waiting = new Set<() => void>();
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get isSpent(): boolean {
    return this.#usedBytes >= this.#limitBytes;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.#usedBytes > this.#limitBytes / 2) return;
    for (const wake of this.#waiting) {
      this.#waiting.delete(wake);
      wake();
    }
  }

  whenFree(wake: () => void): void {
    this.#waiting.add(wake);
  }

  forget(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}

interface Piece {
  /** Undefined is the end of the stream, which travels as the bytes do. */
  readonly bytes: Buffer | undefined;
  dueAtMs: number;
}

export interface DelayLineEnds {
  readonly source: Socket;
  readonly target: Socket;
  readonly budget: LineBudget;
  readonly flow: Flow;
  /** Called as bytes leave the line. */
  readonly onMoved: (bytes: number) => void;
}

export class DelayLine {
  readonly #ends: DelayLineEnds;
  readonly #wake = (): void => this.#resumeSource();
  #flow: Flow;
  #pieces: Piece[] = [];
  #next = 0;
  #heldBytes = 0;
  #targetIsFull = false;
  #timer: NodeJS.Timeout | undefined;

  /** The source must be paused; the line lets it flow. */
  constructor(ends: DelayLineEnds) {
    this.#ends = ends;
    this.#flow = ends.flow;
    ends.source.on('data', (bytes: Buffer) => this.#accept(bytes));
    ends.source.once('end', () => this.#accept(undefined));
    ends.target.on('drain', () => {
      this.#targetIsFull = false;
      this.#deliver();
    });
    ends.source.once('close', () => this.#ends.budget.forget(this.#wake));
    ends.target.once('close', () => this.#drop());
    this.#resumeSource();
  }

  /** A shorter delay also shortens the way of what is on the line already. */
  setFlow(flow: Flow): void {
    this.#flow = flow;
    clearTimeout(this.#timer);
    if (flow.kind === 'held') {
      this.#ends.source.pause();
      return;
    }
    const latestMs = performance.now() + flow.delayMs;
    for (const piece of this.#pieces.slice(this.#next)) piece.dueAtMs = Math.min(piece.dueAtMs, latestMs);
    this.#deliver();
    this.#resumeSource();
  }

  #accept(bytes: Buffer | undefined): void {
    const delayMs = this.#flow.kind === 'flowing' ? this.#flow.delayMs : 0;
    const lastDueAtMs = this.#pieces.at(-1)?.dueAtMs ?? 0;
    this.#pieces.push({ bytes, dueAtMs: Math.max(lastDueAtMs, performance.now() + delayMs) });
    this.#account(cost(bytes));
    if (this.#isFull()) this.#ends.source.pause();
    this.#deliver();
  }

  #isFull(): boolean {
    return this.#heldBytes >= lineLimitBytes || this.#ends.budget.isSpent;
  }

  #account(bytes: number): void {
    this.#heldBytes += bytes;
    if (bytes > 0) this.#ends.budget.take(bytes);
    else this.#ends.budget.give(-bytes);
  }

  #resumeSource(): void {
    if (this.#flow.kind === 'held' || this.#ends.source.destroyed) return;
    if (this.#heldBytes > lineLimitBytes / 2) return;
    if (this.#ends.budget.isSpent) this.#ends.budget.whenFree(this.#wake);
    else this.#ends.source.resume();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#flow.kind === 'held') return;
    const nowMs = performance.now();
    for (let piece = this.#pieces[this.#next]; piece !== undefined; piece = this.#pieces[this.#next]) {
      if (this.#targetIsFull) return;
      if (piece.dueAtMs > nowMs) {
        this.#timer = setTimeout(() => this.#deliver(), Math.max(1, Math.ceil(piece.dueAtMs - nowMs)));
        break;
      }
      this.#next += 1;
      this.#send(piece.bytes);
    }
    this.#compact();
    if (this.#ends.source.isPaused()) this.#resumeSource();
  }

  #send(bytes: Buffer | undefined): void {
    this.#account(-cost(bytes));
    const { target, onMoved } = this.#ends;
    if (target.destroyed || !target.writable) return;
    if (bytes === undefined) {
      target.end();
      return;
    }
    onMoved(bytes.length);
    this.#targetIsFull = !target.write(bytes);
  }

  #compact(): void {
    if (this.#next === this.#pieces.length) {
      this.#pieces = [];
      this.#next = 0;
    } else if (this.#next >= compactAfterPieces) {
      this.#pieces = this.#pieces.slice(this.#next);
      this.#next = 0;
    }
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#account(-this.#heldBytes);
    this.#pieces = [];
    this.#next = 0;
  }
}

function cost(bytes: Buffer | undefined): number {
  return (bytes?.length ?? 0) + pieceCostBytes;
}
