/**
 * Servers that the user already has, by region, from the environment.
 * `ISTHMUS_LOCAL_POSTGRES_URLS` and `ISTHMUS_LOCAL_KAFKA_BROKERS` hold a JSON object from region to
 * address; a region that stands in neither gets servers of our own. Servers that were given are never
 * signalled, restarted or cleaned. A Kafka that was given tells its own address to clients, so its
 * messages pass beside the links.
 */
import { z } from 'zod';
import { LocalError } from './errors.ts';
import type { Kafka } from './kafka.ts';
import type { Postgres } from './postgres.ts';
import type { Server } from './server.ts';

const postgresName = 'ISTHMUS_LOCAL_POSTGRES_URLS';
const kafkaName = 'ISTHMUS_LOCAL_KAFKA_BROKERS';

const postgresUrls = z.record(z.string(), z.url({ protocol: /^postgres(ql)?$/ }));
const kafkaBrokers = z.record(z.string(), z.string().regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/));

export interface GivenServers {
  readonly postgres: (region: string) => Postgres | undefined;
  readonly kafka: (region: string) => Kafka | undefined;
}

export function givenServers(environment: Readonly<Record<string, string | undefined>>): GivenServers {
  const urls = read(environment, postgresName, {
    schema: postgresUrls,
    takes: '{"eu":"postgres://user:password@host:5432/database"}',
  });
  const brokers = read(environment, kafkaName, { schema: kafkaBrokers, takes: '{"eu":"host:9092"}' });
  return {
    postgres: (region) => {
      const url = urls[region];
      if (url === undefined) return undefined;
      return { ...foreignServer(postgresName, region), url, port: Number(new URL(url).port || 5432) };
    },
    kafka: (region) => {
      const address = brokers[region];
      if (address === undefined) return undefined;
      return { ...foreignServer(kafkaName, region), brokers: address, listeners: {} };
    },
  };
}

function read(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  how: { readonly schema: z.ZodType<Record<string, string>>; readonly takes: string },
): Readonly<Record<string, string>> {
  const text = environment[name];
  if (text === undefined || text === '') return {};
  const parsed = how.schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new LocalError('address-invalid', `${name} does not hold addresses by region`, {
    remedy: `Set it to a JSON object such as ${how.takes}, or unset it.`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function foreignServer(name: string, region: string): Server {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new LocalError('server-not-ours', `The server of ${region} was given in ${name}; it is not ours`, {
        remedy: 'Strike it by its own means, or start without that variable.',
      }),
    );
  return {
    pid: () => 0,
    logFile: '',
    state: () => 'running',
    isRunning: () => true,
    kill: refuse,
    restart: refuse,
    stop: () => Promise.resolve(),
  };
}
