/**
 * What the command reads from its environment, in one place: addresses of a region, and whether npm
 * started it. Nothing else in this package looks at the environment.
 */
export interface CliConfig {
  /** `ISTHMUS_API` and `ISTHMUS_ADMIN`; empty where not set. */
  readonly api: string;
  readonly admin: string;
  /** npm puts a shell between itself and what it runs. */
  readonly isUnderNpm: boolean;
}

export function readConfig(): CliConfig {
  const { env } = process;
  return {
    api: env['ISTHMUS_API'] ?? '',
    admin: env['ISTHMUS_ADMIN'] ?? '',
    isUnderNpm: env['npm_lifecycle_event'] !== undefined,
  };
}
