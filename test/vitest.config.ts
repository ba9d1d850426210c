import { totalmem } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What a file with servers of its own may take, with a Postgres and a Kafka for each region. */
const bytesForServers = 4 * 2 ** 30;

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['**/src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // A file with servers of its own mostly waits for them, so three of them keep two cores busy.
    maxWorkers: Math.max(2, Math.min(3, Math.floor(totalmem() / bytesForServers))),
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
