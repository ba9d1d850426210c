/**
 * Whether this process should get traffic, judged by what is local alone: its database answers, is migrated, and the
 * process is not being stopped. The state of other regions and of the links to them never enters, because taking a
 * healthy region out of service when another one fails would spread the fault (I8).
 */
import { ReplicationError } from '@isthmus/replication/errors';
import type { Drain } from '../drain.ts';
import { within } from '../within.ts';

export interface Check {
  readonly name: 'database' | 'migrated' | 'not-draining';
  /** `null`: passed. */
  readonly failure: string | null;
}

interface ReadinessOptions {
  readonly drain: Drain;
  /** One round trip to the database; rejects with `ReplicationError`. `null`: none is open, as while it is opened again. */
  readonly askDatabase: () => Promise<void> | null;
  readonly timeoutMs: number;
}

export class Readiness {
  readonly #options: ReadinessOptions;
  #opened = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** The database has been opened, and with that migrated. */
  opened(): void {
    this.#opened = true;
  }

  async check(): Promise<readonly Check[]> {
    const database = this.#opened ? await this.#database() : 'it has not been reached since the start';
    return [
      { name: 'database', failure: database },
      { name: 'migrated', failure: this.#opened ? null : 'the database has not been opened' },
      { name: 'not-draining', failure: this.#options.drain.draining ? 'the process is being stopped' : null },
    ];
  }

  async #database(): Promise<string | null> {
    const { askDatabase, timeoutMs } = this.#options;
    const asked = askDatabase();
    if (asked === null) return 'it is being opened again';
    const answered = asked.then(
      () => 'answered' as const,
      (error: unknown) => (error instanceof ReplicationError ? error.code : 'failed'),
    );
    const outcome = (await within(timeoutMs, answered)) ?? `no answer within ${timeoutMs} ms`;
    return outcome === 'answered' ? null : outcome;
  }
}

export function isReady(checks: readonly Check[]): boolean {
  return checks.every((check) => check.failure === null);
}
