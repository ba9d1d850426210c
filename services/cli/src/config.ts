/**
 * What the command reads from its environment, in one place: addresses of a region, which demo is meant,
 * and whether npm started it. Nothing else in this package looks at the environment.
 */
export interface CliConfig {
  /** `ISTHMUS_API` and `ISTHMUS_ADMIN`; empty where not set. */
  readonly api: string;
  readonly admin: string;
  /** `ISTHMUS_DEMO`: the process number of the demo that is meant; empty where not set. */
  readonly demo: string;
  /** npm puts a shell between itself and what it runs. */
  readonly isUnderNpm: boolean;
}

export function readConfig(): CliConfig {
  const { env } = process;
  return {
    api: env['ISTHMUS_API'] ?? '',
    admin: env['ISTHMUS_ADMIN'] ?? '',
    demo: env['ISTHMUS_DEMO'] ?? '',
    isUnderNpm: env['npm_lifecycle_event'] !== undefined,
  };
}
