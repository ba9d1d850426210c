/**
 * The start of a server: waits until our child serves, and kills it where it does not. The failure says then how its log
 * ends. A port that somebody else has taken is told apart, because another start may find a free one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LocalError } from './errors.ts';
import { logTail, type ServerChild } from './server-child.ts';

export interface ServerStart {
  readonly name: string;
  readonly logFile: string;
  readonly isReady: () => Promise<boolean>;
  readonly timeoutMs: number;
  readonly pollMs: number;
  /** What is said where its port is taken. */
  readonly portInUse: string;
}

/** Resolves with the child. Rejects with `server-not-ready`, or with `port-in-use`, which is retriable. */
export async function whenReady(child: ServerChild, start: ServerStart): Promise<ServerChild> {
  try {
    await untilReady(child, start);
    return child;
  } catch (error) {
    await child.signal('SIGKILL');
    throw await startError(error, start);
  }
}

async function untilReady(child: ServerChild, start: ServerStart): Promise<void> {
  const { name, isReady, timeoutMs, pollMs } = start;
  const deadline = Date.now() + timeoutMs;
  while (!(await isReady())) {
    if (!child.isRunning()) throw notReady(`${name} ended at start (${await child.ended})`);
    if (Date.now() > deadline) throw notReady(`${name} was not ready within ${timeoutMs} ms`);
    await delay(pollMs);
  }
}

function notReady(message: string): LocalError {
  return new LocalError('server-not-ready', message, {
    remedy: 'Run "isthmus doctor"; the lines of its log above say more.',
  });
}

async function startError(error: unknown, { logFile, portInUse }: ServerStart): Promise<unknown> {
  if (!(error instanceof LocalError)) return error;
  const tail = await logTail(logFile);
  if (/Address already in use/.test(tail)) {
    return new LocalError('port-in-use', portInUse, {
      remedy: 'End the server that holds it.',
      retriable: true,
    });
  }
  const message = `${error.message}. Its log ends:\n${tail}`;
  return new LocalError(error.code, message, { remedy: error.remedy, cause: error });
}
