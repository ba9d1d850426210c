/**
 * Runs the Java virtual machine of one Kafka and waits until it serves.
 * It is made to start quickly: class data come from an archive, one thread collects garbage, and only the quick
 * compiler runs. Nothing is written outside the given folder. Ready means that the broker is registered, unfenced
 * and answers: topics can be created at once.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Java } from './java.ts';
import type { KafkaJars } from './kafka-jars.ts';
import { type ServerChild, startChild } from './server-child.ts';
import { whenReady } from './server-start.ts';

const readyTimeoutMs = 90_000;
const readyPollMs = 10;
const readyLine = 'Kafka Server started';
const logPrefix = '-Dorg.slf4j.simpleLogger';

/**
 * `quick-start` is small; `long-load` keeps more in memory. Neither compiles fully: that takes a fifth of a core for
 * minutes of load, and a broker that serves one region uses less than that for all else.
 */
export type KafkaTuning = 'quick-start' | 'long-load';

const tunings: Readonly<Record<KafkaTuning, readonly string[]>> = {
  'quick-start': ['-Xms48m', '-Xmx256m'],
  'long-load': ['-Xms512m', '-Xmx512m'],
};

/** Performance counters and unpacked libraries would otherwise be left in /tmp by a kill. */
const jvmArgs = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-XX:-UsePerfData',
  '-XX:+ExitOnOutOfMemoryError',
  '-Xshare:auto',
  `${logPrefix}.defaultLogLevel=warn`,
  `${logPrefix}.showDateTime=true`,
  `${logPrefix}.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS`,
  `${logPrefix}.log.kafka.server.KafkaRaftServer=info`,
];

const javaVariables = new Set(['CLASSPATH', 'JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS']);

export interface KafkaProgram {
  readonly java: Java;
  readonly jars: KafkaJars;
  /** Options of the virtual machine about the class-data archive. */
  readonly archiveArgs: readonly string[];
}

/** The full command line of a main class of Kafka, working in `folder`. */
export function kafkaArgs(
  program: KafkaProgram,
  folder: string,
  tuning: KafkaTuning = 'quick-start',
): readonly string[] {
  const temporary = `-Djava.io.tmpdir=${folder}`;
  return [...tunings[tuning], ...jvmArgs, temporary, ...program.archiveArgs, '-cp', program.jars.classPath];
}

/** The environment without what would change the class path, the options or the output of Java. */
export function javaEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !javaVariables.has(name)));
}

/** Starts a Kafka whose `server.properties` lies in `folder`; its log is `kafka.log` beside them. */
export async function runKafka(
  program: KafkaProgram,
  folder: string,
  tuning: KafkaTuning = 'quick-start',
): Promise<ServerChild> {
  const logFile = join(folder, 'kafka.log');
  const from = await logSize(logFile);
  const child = await startChild({
    program: program.java.program,
    args: [...kafkaArgs(program, folder, tuning), 'kafka.Kafka', join(folder, 'server.properties')],
    env: javaEnvironment(),
    folder,
    logFile,
  });
  return whenReady(child, {
    name: 'Kafka',
    logFile,
    isReady: async () => (await readFile(logFile)).subarray(from).includes(readyLine),
    timeoutMs: readyTimeoutMs,
    pollMs: readyPollMs,
    portInUse: 'A port that Kafka should listen on is in use',
  });
}

async function logSize(path: string): Promise<number> {
  return (await readFile(path).catch(() => Buffer.alloc(0))).length;
}
