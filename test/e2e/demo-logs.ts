/** What the region processes of a demo have logged, for whoever has to understand why a test failed. */
import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The last lines of each region's log, those from warnings on beside them; where the system shows no processes none. */
export async function logsOf(demoPid: number): Promise<string> {
  const folders = new Set<string>();
  for (const pid of await descendants(demoPid)) {
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => null);
    if (folder !== null) folders.add(folder);
  }
  const tails = [...folders].toSorted().map(async (folder) => {
    const log = await readFile(join(folder, 'region.log'), 'utf8').catch(() => null);
    return log === null ? [] : [`${folder}:`, ...lastOf(log)];
  });
  return (await Promise.all(tails)).flat().join('\n');
}

const shownLines = 15;
const shownCharacters = 500;

function lastOf(log: string): string[] {
  const lines = log.trimEnd().split('\n');
  const isWarning = (line: string): boolean => /"level":"?(?:warn|error|fatal|[456]0)/.test(line);
  const earlier = lines.slice(0, -shownLines).filter(isWarning);
  return [...earlier.slice(-shownLines), ...lines.slice(-shownLines)].map((line) =>
    line.slice(0, shownCharacters),
  );
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
  const below = await Promise.all(children.map(descendants));
  return [...children, ...below.flat()];
}
