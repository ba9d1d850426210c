/**
 * Apache Kafka's jars, loaded by Maven once per user.
 * Exactly the files that `kafka/jars.sha256` lists are used, each with the checksum that stands there:
 * a jar that differs, is missing or is not listed stops the start. After the first time no Maven and no
 * network are needed.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedEntry } from './cache-folder.ts';
import { runCommand } from './command.ts';
import { LocalError } from './errors.ts';
import { findMaven } from './java.ts';
import type { Progress } from './progress.ts';

export const kafkaVersion = '4.4.0';
const mavenTimeoutMs = 10 * 60_000;
const progressEveryMs = 2_000;
const pom = fileURLToPath(new URL('../kafka/pom.xml', import.meta.url));
const checksums = new URL('../kafka/jars.sha256', import.meta.url);

export interface KafkaJars {
  /** In the order of the list: a class-data archive is bound to the exact class path. */
  readonly classPath: string;
  /** Differs whenever any jar differs. */
  readonly hash: string;
}

/** Whether they are among the entries of the cache folder. */
export function hasJars(cached: readonly string[]): boolean {
  const entry = new RegExp(`^kafka-${kafkaVersion.replaceAll('.', '\\.')}-[0-9a-f]{12}$`);
  return cached.some((name) => entry.test(name));
}

interface PinnedJar {
  readonly name: string;
  readonly sha256: string;
}

export async function kafkaJars(progress: Progress): Promise<KafkaJars> {
  const list = await readFile(checksums, 'utf8');
  const hash = createHash('sha256').update(list).digest('hex').slice(0, 12);
  const jars = parseList(list);
  const folder = await cachedEntry(`kafka-${kafkaVersion}-${hash}`, (draft) => load(draft, jars, progress));
  return { classPath: jars.map(({ name }) => join(folder, 'lib', name)).join(':'), hash };
}

function parseList(list: string): readonly PinnedJar[] {
  const lines = list.trim().split('\n');
  return lines.map((line) => ({ sha256: line.slice(0, 64), name: line.slice(66) }));
}

async function load(draft: string, jars: readonly PinnedJar[], progress: Progress): Promise<void> {
  const maven = await findMaven();
  progress(`Loading Apache Kafka ${kafkaVersion} with Maven (once, about 45 MB)`);
  const lib = join(draft, 'lib');
  await runMaven({ maven, lib, progress });
  await verifyJars(lib, jars);
  progress(`Apache Kafka ${kafkaVersion} loaded and verified`);
}

async function runMaven(run: { maven: string; lib: string; progress: Progress }): Promise<void> {
  let jars = 0;
  let toldAtMs = Date.now();
  const onOutput = (text: string): void => {
    jars += text.match(/Downloaded from \S+: \S+\.jar/g)?.length ?? 0;
    if (jars === 0 || Date.now() - toldAtMs < progressEveryMs) return;
    toldAtMs = Date.now();
    run.progress(`  ${jars} files`);
  };
  const args = ['-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime'];
  const result = await runCommand(run.maven, [...args, `-DoutputDirectory=${run.lib}`], {
    timeoutMs: mavenTimeoutMs,
    onOutput,
  });
  if (result.kind !== 'done') throw mavenError(result.kind === 'failed' ? result.tail : 'it is gone');
}

function mavenError(tail: string): LocalError {
  return new LocalError('jars-unavailable', `Maven could not load Apache Kafka: ${tail}`, {
    remedy: 'See that Maven reaches its repository (a proxy or a mirror goes into ~/.m2/settings.xml).',
    retriable: true,
  });
}

/** Throws unless the folder holds exactly the pinned jars. */
export async function verifyJars(folder: string, jars: readonly PinnedJar[]): Promise<void> {
  const present = await readdir(folder);
  const pinned = new Set(jars.map(({ name }) => name));
  const strangers = present.filter((name) => !pinned.has(name));
  const wrong: string[] = strangers.map((name) => `${name} is not in the list`);
  for (const { name, sha256 } of jars) {
    const bytes = await readFile(join(folder, name)).catch(() => undefined);
    if (bytes === undefined) wrong.push(`${name} is missing`);
    else if (createHash('sha256').update(bytes).digest('hex') !== sha256) wrong.push(`${name} differs`);
  }
  if (wrong.length === 0) return;
  throw new LocalError('jar-mismatch', `Apache Kafka's jars are not those pinned: ${wrong.join(', ')}`, {
    remedy:
      'Remove org/apache/kafka from ~/.m2/repository and try again; if it persists, do not trust the ' +
      'repository that Maven uses.',
  });
}
