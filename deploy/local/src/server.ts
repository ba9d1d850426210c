/**
 * What every local server has in common, whatever it serves: it can be struck by signals, started again
 * in its old place, and stopped for good. Its addresses stay the same from the first start to the stop.
 * Starts of one server never overlap. After `stop` nothing of it is left, and nothing brings it back.
 */
import assert from 'node:assert/strict';
import type { ServerChild } from './server-child.ts';

export type ServerState = 'running' | 'paused' | 'ended';

export interface Server {
  /** Of the newest process, also after it has ended. */
  readonly pid: () => number;
  readonly logFile: string;
  readonly state: () => ServerState;
  readonly isRunning: () => boolean;
  /** Sends a signal to the process and its children; SIGKILL resolves once all of them are gone. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  /** Starts it again in its old place, after ending it in good order where it still runs. */
  readonly restart: () => Promise<void>;
  /** Ends it for good and removes what it kept, unless the caller asked to keep it. */
  readonly stop: () => Promise<void>;
}

export interface ServerLife {
  readonly logFile: string;
  readonly first: ServerChild;
  readonly start: () => Promise<ServerChild>;
  /** Asks for an orderly end before a restart. */
  readonly restartSignal: NodeJS.Signals;
  /** Asks for the end at `stop`; may be rough where nothing is kept. */
  readonly stopSignal: NodeJS.Signals;
  readonly endTimeoutMs: number;
  /** Runs once, after the process has ended for good. */
  readonly cleanUp: () => Promise<void>;
}

export function server(life: ServerLife): Server {
  let child = life.first;
  let isPaused = false;
  let isStopped = false;
  let starting: Promise<void> = Promise.resolve();

  const startAgain = async (): Promise<void> => {
    assert(!isStopped, 'a stopped server is not started again');
    await child.end(life.restartSignal, life.endTimeoutMs);
    child = await life.start();
    isPaused = false;
  };
  return {
    pid: () => child.pid,
    logFile: life.logFile,
    state: () => (child.isRunning() ? (isPaused ? 'paused' : 'running') : 'ended'),
    isRunning: () => child.isRunning(),
    kill: async (signal) => {
      if (signal === 'SIGSTOP') isPaused = true;
      if (signal === 'SIGCONT') isPaused = false;
      await child.signal(signal);
    },
    restart: () => {
      starting = starting.then(startAgain, startAgain);
      return starting;
    },
    stop: async () => {
      if (isStopped) return;
      isStopped = true;
      await starting.catch(() => undefined);
      await child.end(life.stopSignal, life.endTimeoutMs);
      await life.cleanUp();
    },
  };
}
