/** What the load test reads from its environment: which demo is meant. Nothing else here looks at the environment. */
export interface LoadConfig {
  /** `ISTHMUS_DEMO`: the process number of the demo to drive; empty where not set. */
  readonly demo: string;
}

export function readConfig(): LoadConfig {
  return { demo: process.env['ISTHMUS_DEMO'] ?? '' };
}
