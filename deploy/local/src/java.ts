/**
 * Finds the Java and Maven that the user has, and says what to install where they are missing.
 * `JAVA_HOME` goes before `PATH`, as everywhere. Looking for Java starts no process, so that a warm
 * start does not pay for one; its version is asked for only when something is built with it.
 */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runCommand } from './command.ts';
import { LocalError } from './errors.ts';

const oldestJava = 17;
const commandTimeoutMs = 20_000;
const installJava =
  `Install Java ${oldestJava} or newer (for example: apt-get install openjdk-17-jre-headless, ` +
  'or brew install openjdk), or set JAVA_HOME; or give addresses of your own Kafka in ISTHMUS_LOCAL_KAFKA_BROKERS; ' +
  'or do without Kafka (--log postgres).';
const installMaven =
  'Install Maven (for example: apt-get install maven, or brew install maven); it is needed once, to load ' +
  'Apache Kafka. Or give addresses of your own Kafka in ISTHMUS_LOCAL_KAFKA_BROKERS, or do without (--log postgres).';

export interface Java {
  readonly program: string;
  /** Differs between two installations of Java; names what was built with this one. */
  readonly fingerprint: string;
}

export async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    const runnable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runnable) return path;
  }
  return undefined;
}

export function pathFolders(): readonly string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}

export async function findJava(): Promise<Java> {
  const home = process.env['JAVA_HOME'];
  const folders = home ? [join(home, 'bin'), ...pathFolders()] : pathFolders();
  const program = await findProgram('java', folders);
  if (program === undefined) {
    throw new LocalError('java-missing', 'Java is not installed; Apache Kafka needs it', {
      remedy: installJava,
    });
  }
  const real = await realpath(program);
  const { size, mtimeMs } = await stat(real);
  return { program: real, fingerprint: `${real} ${size} ${mtimeMs}` };
}

/** The major version, or a typed error where it is older than Kafka accepts or does not run. */
export async function checkJavaVersion({ program }: Java): Promise<number> {
  const result = await runCommand(program, ['-version'], { timeoutMs: commandTimeoutMs });
  const said = result.kind === 'done' ? result.output : result.kind === 'failed' ? result.tail : '';
  const major = Number(/version "(?:1\.)?(\d+)/.exec(said)?.[1] ?? Number.NaN);
  if (result.kind !== 'done' || Number.isNaN(major)) {
    throw new LocalError('java-missing', `${program} does not run: ${said}`, { remedy: installJava });
  }
  if (major < oldestJava) {
    throw new LocalError('java-too-old', `${program} is Java ${major}; Apache Kafka needs ${oldestJava}`, {
      remedy: installJava,
    });
  }
  return major;
}

export async function findMaven(): Promise<string> {
  const program = await findProgram('mvn', pathFolders());
  if (program !== undefined) return program;
  throw new LocalError('maven-missing', 'Maven is not installed; it loads Apache Kafka', {
    remedy: installMaven,
  });
}
