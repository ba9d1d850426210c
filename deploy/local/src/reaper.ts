/**
 * Guarantees that what this process started ends with it, however it ends.
 * One tiny shell per process holds the reading end of a pipe whose writing end only we hold. Each line
 * on the pipe is the whole registry: process ids to kill and folders to remove. When the pipe closes,
 * which the kernel does even after SIGKILL, the shell kills and removes what the last line named.
 * It lives in a session of its own, so that Ctrl-C in a terminal reaches it no more than it reaches
 * the servers. It must never hold a process id after that process has been seen to end.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';

/**
 * Fields of a line are separated by tabs: `p123` is a process, `f/tmp/x` a folder.
 * Postgres's backends are children in sessions of their own, so children are listed before their
 * parent dies; its segment of shared memory is named by the seventh line of `postmaster.pid`.
 */
const script = `
trap '' HUP INT TERM
tab=$(printf '\\t')
while IFS= read -r line; do state=$line; done
set -f
IFS=$tab
for entry in $state; do
  case $entry in
    p*)
      IFS=' '
      pid=\${entry#p}
      kill -STOP $pid 2>/dev/null
      if [ -r /proc/$pid/task/$pid/children ]; then read -r children < /proc/$pid/task/$pid/children
      else children=$(pgrep -P $pid 2>/dev/null | tr '\\n' ' '); fi
      kill -KILL $pid -$pid $children 2>/dev/null
      IFS=$tab ;;
  esac
done
for entry in $state; do
  case $entry in
    f*)
      folder=\${entry#f}
      segment=$(sed -n 7p "$folder/data/postmaster.pid" 2>/dev/null)
      [ -n "$segment" ] && ipcrm -m "\${segment##* }" 2>/dev/null
      rm -rf -- "$folder" || { sleep 1; rm -rf -- "$folder"; } ;;
  esac
done
`;

const entries = new Set<string>();
let reaper: ChildProcess | undefined;
let isClosed = false;

function startReaper(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  child.unref();
  assert(child.stdin instanceof Socket, 'the pipe to the reaper is a socket');
  child.stdin.unref();
  child.once('exit', () => {
    if (reaper === child) reaper = undefined;
  });
  child.stdin.on('error', () => {
    // The reaper was killed: the next registration starts another with the whole registry.
    if (reaper === child) reaper = undefined;
  });
  return child;
}

function tell(): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${[...entries].join('\t')}\n`);
}

function add(entry: string): () => void {
  assert(!/[\t\n]/.test(entry), `a registered path holds no tab and no line break: ${entry}`);
  if (isClosed) {
    strike(entry);
    return () => {};
  }
  entries.add(entry);
  tell();
  return () => {
    if (entries.delete(entry)) tell();
  };
}

/** Has the process and its children killed when this process ends; call the result once it has ended. */
export function reapProcess(pid: number): () => void {
  return add(`p${pid}`);
}

/** Has the folder removed when this process ends; call the result once it is gone or is to stay. */
export function reapFolder(path: string): () => void {
  assert(path.startsWith('/') && path.length > 1, 'only an absolute folder is removed');
  return add(`f${path}`);
}

/**
 * Ends everything that is registered, now, and at once whatever is registered later by work that is
 * still under way; resolves when all is gone. For the end of a program.
 */
export async function reapEverything(): Promise<void> {
  isClosed = true;
  const child = reaper;
  if (child === undefined || child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.ref();
  child.stdin?.end();
  await ended;
}

function strike(entry: string): void {
  const what = entry.slice(1);
  if (entry.startsWith('f')) rmSync(what, { recursive: true, force: true });
  else process.kill(Number(what), 'SIGKILL');
}
