/**
 * Which log local regions get where nobody says: Kafka where this machine can run one or has been given one for each
 * region, else the region's own Postgres, which needs nothing more. It says why, and looks without changing anything.
 */
import { readdir } from 'node:fs/promises';
import { cacheFolder } from './cache-folder.ts';
import { LocalError } from './errors.ts';
import { givenServers } from './given-servers.ts';
import { checkJavaVersion, findJava, findMaven } from './java.ts';
import { hasJars } from './kafka-jars.ts';
import { hasTemplate } from './kafka-template.ts';
import type { LogKind } from './region-log.ts';

export interface LogChoice {
  readonly kind: LogKind;
  /** Half a sentence after "because". */
  readonly why: string;
}

export async function chooseLog(regions: readonly string[]): Promise<LogChoice> {
  const given = givenServers(process.env);
  if (regions.every((region) => given.kafka(region) !== undefined))
    return { kind: 'kafka', why: 'a Kafka was given for each region' };
  try {
    await requireKafka();
    return { kind: 'kafka', why: 'this machine can run it' };
  } catch (error) {
    if (!(error instanceof LocalError)) throw error;
    return { kind: 'postgres', why: error.message };
  }
}

/** Asks Java for its version only where nothing has been built with one yet, because a warm start need not pay for that. */
async function requireKafka(): Promise<void> {
  const cached = await readdir(cacheFolder()).catch(() => []);
  const java = await findJava();
  if (!hasJars(cached)) await findMaven();
  if (!hasTemplate(cached)) await checkJavaVersion(java);
}
