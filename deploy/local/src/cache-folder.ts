/**
 * What is costly to make is made once per user and kept under the usual cache folder.
 * An entry appears whole or not at all: it is built in a folder beside its place and renamed there, so
 * that processes that build the same entry at once cannot spoil it; the first to finish wins and the
 * others use its work. What a killed build leaves is removed by the reaper. An entry is never changed
 * after it has appeared; what it depends on is part of its name.
 */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { LocalError, systemCode } from './errors.ts';
import { reapFolder } from './reaper.ts';

const building = new Map<string, Promise<string>>();

/** `$XDG_CACHE_HOME/isthmus`, by default `~/.cache/isthmus`. */
export function cacheFolder(): string {
  const configured = process.env['XDG_CACHE_HOME'];
  const base = configured && isAbsolute(configured) ? configured : join(homedir(), '.cache');
  return join(base, 'isthmus');
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/**
 * The entry's folder, built by `build` into an empty folder where it is not there yet.
 * The name must change whenever anything that `build` depends on changes.
 */
export function cachedEntry(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const place = join(cacheFolder(), name);
  const under = building.get(place);
  if (under !== undefined) return under;
  const made = makeEntry(place, build).finally(() => building.delete(place));
  building.set(place, made);
  return made;
}

async function makeEntry(place: string, build: (folder: string) => Promise<void>): Promise<string> {
  if (await isFolder(place)) return place;
  const draft = await openDraft(place);
  const forget = reapFolder(draft);
  try {
    await build(draft);
    await publish(draft, place);
  } finally {
    await rm(draft, { recursive: true, force: true });
    forget();
  }
  return place;
}

async function openDraft(place: string): Promise<string> {
  try {
    await mkdir(cacheFolder(), { recursive: true, mode: 0o755 });
    return await mkdtemp(`${place}.draft-`);
  } catch (error) {
    throw new LocalError('cache-unwritable', `Cannot write in the cache folder ${cacheFolder()}`, {
      remedy: 'Make it writable, free some space, or set XDG_CACHE_HOME to a folder that is.',
      cause: error,
    });
  }
}

async function publish(draft: string, place: string): Promise<void> {
  try {
    await rename(draft, place);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return;
    throw error;
  }
}
