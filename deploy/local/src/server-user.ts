/**
 * Postgres refuses to run as root, so root runs it as an unprivileged user made for it.
 * Everybody else runs it as themselves. The user has no password, no shell and no home folder; it is
 * made once and stays. This file decides who runs a server and whether that user can reach a path.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runCommand } from './command.ts';
import { LocalError } from './errors.ts';

const userName = 'isthmus';
const commandTimeoutMs = 20_000;
const attempts = 5;

export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Programs that make a system user, in order of preference: Debian and Red Hat, then BusyBox. */
const makers: readonly (readonly [string, readonly string[]])[] = [
  ['useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', userName]],
  ['adduser', ['-S', '-D', '-H', '-s', '/sbin/nologin', userName]],
];

let found: Promise<ServerUser> | undefined;

/** Who runs Postgres: undefined is this process's own user. */
export function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return Promise.resolve(undefined);
  found ??= findOrMakeUser().finally(() => {
    found = undefined;
  });
  return found;
}

/** The unprivileged user where it is there already; never makes one. */
export async function findServerUser(): Promise<ServerUser | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  const fields = lines.find((line) => line.startsWith(`${userName}:`))?.split(':');
  if (fields === undefined) return undefined;
  const uid = Number(fields[2]);
  const gid = Number(fields[3]);
  if (!Number.isInteger(uid) || !Number.isInteger(gid) || uid === 0) return undefined;
  return { name: userName, uid, gid };
}

async function findOrMakeUser(): Promise<ServerUser> {
  const complaints: string[] = [];
  for (let attempt = 0; attempt < attempts; attempt++) {
    const user = await findServerUser();
    if (user !== undefined) return user;
    complaints.push(await makeUser());
  }
  const last = await findServerUser();
  if (last !== undefined) return last;
  throw new LocalError(
    'user-not-creatable',
    `Postgres does not run as root, and the user ${userName} cannot be made: ${complaints.at(-1) ?? ''}`,
    { remedy: `Run as another user than root, or make one yourself: useradd --system ${userName}` },
  );
}

/** Tries each program once; returns what the last one complained of. Another process may be quicker. */
async function makeUser(): Promise<string> {
  let complaint = 'neither useradd nor adduser is installed';
  for (const [program, args] of makers) {
    const result = await runCommand(program, args, { timeoutMs: commandTimeoutMs });
    if (result.kind === 'done') return '';
    if (result.kind === 'failed') complaint = result.tail;
  }
  return complaint;
}

/** Whether the user may enter the folder and every folder above it. */
export async function isReachableBy(path: string, user: ServerUser): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
    if (((mode >> shift) & 0o1) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
