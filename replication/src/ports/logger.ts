/**
 * Where the engine says what an operator may want to read. The shape is pino's, so that a pino logger serves as it
 * is. Values are never record contents, and nothing secret.
 */
type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
