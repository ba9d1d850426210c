/**
 * What kept the process from starting, where a variable of the configuration is the one to change: said in one line
 * that names it, what it held and what to do. Anything else is left to the log.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import type { Config } from './config.ts';
import type { ListenAddress } from './config-values.ts';

/** `null` where no variable is to blame. */
export function describeStartFault(error: unknown, config: Config): string | null {
  if (error instanceof ReplicationError && error.code === 'database-misconfigured') {
    return `ISTHMUS_DATABASE_URL (hidden) leads to a database that cannot serve: ${error.message}`;
  }
  if (!(error instanceof Error) || !('code' in error)) return null;
  const remedy = remedies.get(error.code);
  if (remedy === undefined) return null;
  const [variable, { host, port }] = blamed(error, config);
  return `${variable} holds ${host}:${port}; ${remedy}`;
}

const remedies: ReadonlyMap<unknown, string> = new Map([
  ['EADDRINUSE', 'another process listens there: choose another port, or end that process'],
  ['EADDRNOTAVAIL', 'this machine has no such address: choose one of its own'],
  ['EACCES', 'this user may not listen there: choose a port above 1023'],
  ['ENOTFOUND', 'the name has no address: choose a name or an address of this machine'],
  ['EAI_AGAIN', 'the name cannot be looked up now: choose an address, or mend the name service'],
]);

function blamed(error: Error, config: Config): readonly [string, ListenAddress] {
  const admin = ['ISTHMUS_ADMIN_ADDRESS', config.adminAddress] as const;
  const api = ['ISTHMUS_API_ADDRESS', config.apiAddress] as const;
  const { port, host } = config.apiAddress;
  const isApi = ('port' in error && error.port === port) || ('hostname' in error && error.hostname === host);
  return isApi ? api : admin;
}
