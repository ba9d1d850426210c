/**
 * The folder in which one server keeps its data and its log.
 * By default a temporary one that goes when the server stops or when this process ends in any way;
 * a folder that the user names stays. A temporary folder lies where an unprivileged user can reach it.
 */
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LocalError, systemCode } from './errors.ts';
import { reapFolder } from './reaper.ts';
import { isReachableBy, type ServerUser } from './server-user.ts';

export interface WorkFolder {
  readonly path: string;
  readonly kept: boolean;
  /** Removes the folder where it is temporary. */
  readonly remove: () => Promise<void>;
}

export interface WorkFolderOptions {
  readonly kind: 'postgres' | 'kafka' | 'region' | 'build';
  /** A folder to keep; without it a temporary one is made. */
  readonly keepIn?: string | undefined;
  readonly user?: ServerUser | undefined;
}

export async function openWorkFolder(options: WorkFolderOptions): Promise<WorkFolder> {
  try {
    return options.keepIn === undefined
      ? await openTemporary(options)
      : await openKept(options.keepIn, options.user);
  } catch (error) {
    throw diskError(error);
  }
}

/** A full disk, however it showed, gets a message of its own; every other failure is returned as it is. */
export function diskError(error: unknown): unknown {
  const isTold = error instanceof LocalError && /no space left on device/i.test(error.message);
  if (!isTold && systemCode(error) !== 'ENOSPC') return error;
  return new LocalError('disk-full', 'The disk is full', {
    remedy: `Free some space in ${tmpdir()}, or set TMPDIR to a folder that has some.`,
    cause: error,
  });
}

async function openTemporary({ kind, user }: WorkFolderOptions): Promise<WorkFolder> {
  const base = user === undefined || (await isReachableBy(tmpdir(), user)) ? tmpdir() : '/tmp';
  const path = await mkdtemp(join(base, `isthmus-${kind}-`));
  const forget = reapFolder(path);
  const remove = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true, maxRetries: 5 });
    forget();
  };
  return { path, kept: false, remove };
}

/** Makes a folder that the user named. Throws `folder-unreachable`, which says what stands in the way. */
export async function makeKept(path: string): Promise<void> {
  try {
    await makeEach(path);
    await access(path, constants.W_OK);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined || code === 'ENOSPC') throw cause;
    throw new LocalError('folder-unreachable', `${path} cannot be made a folder to keep data in (${code})`, {
      remedy: 'Name a folder that you may write, below folders and not below a file.',
      cause,
    });
  }
}

/** One folder after the other: Node's own recursion never ends where a file system such as /proc refuses. */
async function makeEach(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (systemCode(error) !== 'ENOENT' || parent === path) throw error;
    await makeEach(parent);
    await mkdir(path);
  }
}

async function openKept(path: string, user: ServerUser | undefined): Promise<WorkFolder> {
  await makeKept(path);
  if (user !== undefined && !(await isReachableBy(path, user))) {
    throw new LocalError('folder-unreachable', `The user ${user.name} cannot enter ${path}`, {
      remedy: 'Choose a folder whose parents every user may enter (chmod o+x), or do not run as root.',
    });
  }
  return { path, kept: true, remove: () => Promise.resolve() };
}
