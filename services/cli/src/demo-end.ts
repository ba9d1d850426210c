/**
 * When a demo is to end: at SIGINT, SIGTERM or SIGHUP, and when whoever started it lets go of it.
 * The end of standard input counts where that is a pipe or a socket, because then a program holds its
 * other end; a terminal, a file and the null device end nothing. npm's shell may die of a signal without
 * passing it on, so under npm the end of the parent counts too.
 */
import { fstatSync } from 'node:fs';

const parentPollMs = 250;

export interface EndOptions {
  /** Aborted by SIGINT and SIGTERM. */
  readonly interrupted: AbortSignal;
  readonly isUnderNpm: boolean;
}

/** Resolves once, with what happened. */
export function demoEnd({ interrupted, isUnderNpm }: EndOptions): Promise<string> {
  return new Promise((resolve) => {
    if (interrupted.aborted) resolve('interrupted');
    interrupted.addEventListener('abort', () => resolve('interrupted'), { once: true });
    process.once('SIGHUP', () => resolve('the terminal is gone'));
    if (isStdinHeldByProgram()) {
      process.stdin.once('end', () => resolve('standard input has ended'));
      process.stdin.once('close', () => resolve('standard input has ended'));
      process.stdin.once('error', () => resolve('standard input has ended'));
      process.stdin.resume();
    }
    if (isUnderNpm) watchParent(() => resolve('npm has ended'));
  });
}

function isStdinHeldByProgram(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    // A closed standard input is nobody's.
    return false;
  }
}

function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, parentPollMs);
  timer.unref();
}
