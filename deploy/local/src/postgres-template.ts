/**
 * A Postgres cluster as initdb leaves it, made once per user and copied for every start.
 * The copy gets a system identifier of its own: two databases that carry the same one could not be told
 * apart by anybody who compares identities. The password is random and shared by the copies of one
 * template; it is kept beside it, readable by its owner alone.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedEntry } from './cache-folder.ts';
import { runCommand } from './command.ts';
import { LocalError } from './errors.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { newSystemIdentifier, setSystemIdentifier } from './postgres-control-file.ts';
import type { ServerUser } from './server-user.ts';
import { openWorkFolder } from './work-folder.ts';

const initdbTimeoutMs = 120_000;
const copyTimeoutMs = 60_000;
const initdbArgs = [
  '--username=postgres',
  '--encoding=UTF8',
  '--locale=C',
  '--auth=scram-sha-256',
  '--no-instructions',
];

export interface TemplateRequest {
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser | undefined;
}

/** Copies the template to `folder/data`; returns the superuser's password. */
export async function copyTemplate(request: TemplateRequest, folder: string): Promise<string> {
  const template = await cachedEntry(templateName(request), (draft) => makeTemplate(request, draft));
  const data = join(folder, 'data');
  await copyTree(join(template, 'data'), data);
  await setSystemIdentifier(data, newSystemIdentifier(Date.now()));
  return readFile(join(template, 'password'), 'utf8');
}

function templateName({ binaries, user }: TemplateRequest): string {
  const settings = JSON.stringify([initdbArgs, user?.uid ?? process.getuid?.() ?? null]);
  const hash = createHash('sha256').update(settings).digest('hex').slice(0, 12);
  return `postgres-${binaries.version}-${hash}`;
}

/** Owners and modes are kept, so that root's copy belongs to the unprivileged user. */
async function copyTree(from: string, to: string): Promise<void> {
  const result = await runCommand('cp', ['-a', from, to], { timeoutMs: copyTimeoutMs });
  if (result.kind === 'done') return;
  const said = result.kind === 'failed' ? result.tail : 'the program cp is not installed';
  throw new LocalError('command-failed', `Cannot copy the Postgres template: ${said}`, {
    remedy: `See that the disk has space and that ${from} is readable, or remove that folder to have it made anew.`,
  });
}

async function makeTemplate({ binaries, user }: TemplateRequest, draft: string): Promise<void> {
  const work = await openWorkFolder({ kind: 'build', user });
  try {
    const password = randomBytes(18).toString('base64url');
    const passwordFile = join(work.path, 'password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (user !== undefined) {
      await chown(work.path, user.uid, user.gid);
      await chown(passwordFile, user.uid, user.gid);
    }
    await initialise({ binaries, user }, work.path);
    await copyTree(join(work.path, 'data'), join(draft, 'data'));
    await writeFile(join(draft, 'password'), password, { mode: 0o600 });
  } finally {
    await work.remove();
  }
}

async function initialise({ binaries, user }: TemplateRequest, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const args = [...initdbArgs, `--pgdata=${folder}/data`, `--pwfile=${folder}/password`];
  const result = await runCommand(binaries.initdb, args, {
    timeoutMs: initdbTimeoutMs,
    cwd: folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    ...(user && { uid: user.uid, gid: user.gid }),
  });
  if (result.kind === 'done') return;
  const said = result.kind === 'failed' ? result.tail : `${binaries.initdb} is missing`;
  throw new LocalError('command-failed', `initdb failed: ${said}`, {
    remedy: 'Run "isthmus doctor"; it checks the disk, the user and the Postgres programs.',
  });
}
