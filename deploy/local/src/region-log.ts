/**
 * Where the log of a local region is, and what its process and its peers are told of it: brokers of its Kafka, or the
 * address of its own Postgres under the role made for peers. That role's password is made anew for each start; it is
 * told to the region, which gives it to the role, and to the peers. All of it is known before any server runs.
 */
import { randomBytes } from 'node:crypto';
import type { Address } from './address.ts';

export type LogKind = 'kafka' | 'postgres';

export interface RegionLog {
  readonly kind: LogKind;
  /** What a reader is told that reaches the log's server at this place. */
  readonly addressAt: (place: Address) => string;
  /** What the region's own process is told of a log in its Postgres, as ISTHMUS_ variables. */
  readonly settings: Readonly<Record<string, string>>;
}

export const logInKafka: RegionLog = {
  kind: 'kafka',
  addressAt: ({ host, port }) => `${host}:${port}`,
  settings: {},
};

/** `database`: the path of its address. */
export function logInPostgres(region: string, database: string): RegionLog {
  const password = randomBytes(18).toString('base64url');
  return {
    kind: 'postgres',
    addressAt: ({ host, port }) => `postgres://isthmus_log_${region}:${password}@${host}:${port}${database}`,
    settings: { ISTHMUS_KAFKA_BROKERS: 'postgres', ISTHMUS_LOG_PASSWORD: password },
  };
}
