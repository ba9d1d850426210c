/**
 * One server process as our child: Postgres, Kafka or a region.
 * It lives in a session of its own, so that Ctrl-C in a terminal ends it through us and not beside us,
 * and it is registered with the reaper from its first moment to its last. Its output goes to a file,
 * never through us: a pipe that nobody empties would stop a server. Signals reach the process and its
 * own children (Postgres's backends), as a fault of the machine would. It must never be signalled after
 * it has been seen to end, for its number may then belong to a stranger.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from './command.ts';
import { systemCode } from './errors.ts';
import { reapProcess } from './reaper.ts';
import type { ServerUser } from './server-user.ts';

const logTailBytes = 4_096;
const pollMs = 5;
const goneTimeoutMs = 10_000;
const gone = /[XZ]/;
const standingStill = /[TtXZ?]/;
/** Signals that end no process. */
const harmless: ReadonlySet<NodeJS.Signals> = new Set(['SIGSTOP', 'SIGCONT']);

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly logFile: string;
  readonly user?: ServerUser | undefined;
}

export interface ServerChild {
  readonly pid: number;
  readonly isRunning: () => boolean;
  /** Resolves when the process has ended, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** The same, and only where nobody had asked it to end through `signal` or `end`. */
  readonly fallen: Promise<number | NodeJS.Signals>;
  /** Sends a signal to the process and its children; SIGKILL resolves once all of them are gone. */
  readonly signal: (signal: NodeJS.Signals) => Promise<void>;
  /** Asks with a signal to the process alone, then kills after `timeoutMs`; resolves once all are gone. */
  readonly end: (signal: NodeJS.Signals, timeoutMs: number) => Promise<void>;
}

export async function startChild(command: ServerCommand): Promise<ServerChild> {
  const log = openSync(command.logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(command.program, [...command.args], {
      cwd: command.folder,
      env: command.env,
      detached: true,
      stdio: ['ignore', log, log],
      ...(command.user && { uid: command.user.uid, gid: command.user.gid }),
    });
  } finally {
    closeSync(log);
  }
  const { pid } = child;
  if (pid === undefined) {
    const [error] = await once(child, 'error');
    throw error;
  }
  return observe(child, pid);
}

function observe(child: ChildProcess, pid: number): ServerChild {
  const forget = reapProcess(pid);
  let isAsked = false;
  let fall: (how: number | NodeJS.Signals) => void = () => undefined;
  const fallen = new Promise<number | NodeJS.Signals>((resolve) => {
    fall = resolve;
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      const how = signal ?? code ?? 0;
      forget();
      resolve(how);
      if (!isAsked) fall(how);
    });
  });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    if (!isRunning()) return;
    isAsked ||= !harmless.has(name);
    const family = await freezeFamily(pid);
    if (name !== 'SIGSTOP') {
      for (const member of family) send(member, name);
      if (name !== 'SIGKILL') for (const member of family) send(member, 'SIGCONT');
    }
    if (name !== 'SIGKILL') return;
    await ended;
    await allInState(family, gone);
  };
  const end = async (name: NodeJS.Signals, timeoutMs: number): Promise<void> => {
    if (!isRunning()) return;
    isAsked = true;
    const family = await childrenOf(pid);
    for (const member of family) send(member, 'SIGCONT');
    send(pid, 'SIGCONT');
    send(pid, name);
    const timer = new AbortController();
    await Promise.race([ended, delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
    if (isRunning()) return signal('SIGKILL');
    await allInState(family, gone);
  };
  return { pid, isRunning, ended, fallen, signal, end };
}

/** Stops the process, so that it can start no more children, and then them; returns all, standing still. */
async function freezeFamily(pid: number): Promise<readonly number[]> {
  send(pid, 'SIGSTOP');
  await allInState([pid], standingStill);
  const children = await childrenOf(pid);
  for (const child of children) send(child, 'SIGSTOP');
  await allInState(children, standingStill);
  return [...children, pid];
}

function send(pid: number, signal: NodeJS.Signals): void {
  assert(pid > 1, 'a signal goes to one process');
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  let listed: string;
  try {
    listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    const result = await runCommand('pgrep', ['-P', String(pid)], { timeoutMs: goneTimeoutMs });
    listed = result.kind === 'done' ? result.output : '';
  }
  return listed
    .split(/\s+/)
    .filter((text) => text !== '')
    .map(Number);
}

/** A signal takes effect some time after it was sent; where there is no /proc, that is not waited for. */
async function allInState(pids: readonly number[], wanted: RegExp): Promise<void> {
  const deadline = Date.now() + goneTimeoutMs;
  while (!(await Promise.all(pids.map(stateOf))).every((state) => wanted.test(state))) {
    assert(Date.now() < deadline, `processes outlive a signal: ${pids.join(' ')}`);
    await delay(pollMs);
  }
}

/** The kernel's letter for the state of a process; a zombie counts as gone, for not everyone reaps. */
async function stateOf(pid: number): Promise<string> {
  if (!isAlive(pid)) return 'X';
  if (process.platform !== 'linux') return '?';
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return line.slice(line.lastIndexOf(')') + 2, line.lastIndexOf(')') + 3);
}

/** Whether a process of this number exists, be it a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** The last lines of a server's log, for the message about its failure. */
export async function logTail(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, logTailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}
