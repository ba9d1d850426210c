/**
 * Statements that are sent together and answered in order, in one round trip with one end (one Sync): the server
 * answers with one packet instead of one for each, and after a statement that fails it carries out none of the rest, a
 * COMMIT included. Outside BEGIN and COMMIT they are one transaction, as the protocol has it. Nothing counts as answered
 * before the server is ready for more, because what was not inside a transaction commits only then. A name stands for
 * one text for ever; the server keeps its plan, and its columns are asked for once for each connection.
 */
import type { Connection, Submittable } from 'pg';
import { types } from 'pg';
import { AssertionFailure } from '../../errors.ts';
import { FrontendMessages } from './frontend-messages.ts';
import type { Row } from './row-values.ts';
import type { Answer, Call } from './session.ts';

type FieldReader = (text: string) => unknown;

/** By the name of a statement that the server of one connection has parsed: how its columns are read. */
export type KnownStatements = Map<string, readonly FieldReader[]>;

/** Answers of the first statements; `failure` is that of the next, `null` where all are answered. */
export interface BatchOutcome {
  readonly answers: readonly Answer[];
  readonly failure: unknown;
}

interface FieldDescription {
  readonly dataTypeID: number;
}

/** A command, and at the end how many rows it met. */
const tagPattern = /^([A-Z]*).*?(\d*)$/;

export class StatementBatch implements Submittable {
  readonly outcome: Promise<BatchOutcome>;
  readonly #calls: readonly Call[];
  readonly #known: KnownStatements;
  readonly #answers: Answer[] = [];
  #settle: (outcome: BatchOutcome) => void = () => undefined;
  #readers: readonly FieldReader[] = [];
  #rows: Row[] = [];

  constructor(calls: readonly Call[], known: KnownStatements) {
    this.#calls = calls;
    this.#known = known;
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  submit({ stream }: Connection): void {
    // What is known by now, and not when it was asked for: batches before it on its connection have made more known.
    this.#begin();
    if (stream.writable) stream.write(this.#encode());
  }

  handleRowDescription({ fields }: { readonly fields: readonly FieldDescription[] }): void {
    this.#readers = fields.map(({ dataTypeID }): FieldReader => types.getTypeParser(dataTypeID, 'text'));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (fields.length !== this.#readers.length) throw this.#misread(`a row of ${fields.length} columns`);
    this.#rows.push(fields.map((field, column) => (field === null ? null : this.#readers[column]?.(field))));
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const tag = tagPattern.exec(text);
    this.#answered(tag?.[1] ?? '', Number(tag?.[2] ?? ''));
  }

  handleEmptyQuery(): void {
    this.#answered('', 0);
  }

  /** The server's refusal of the statement whose turn it is, or the end of the connection. */
  handleError(failure: unknown): void {
    // What failed after its answer and before its end is not done.
    if (this.#answers.length === this.#calls.length) this.#answers.pop();
    this.#settle({ answers: this.#answers, failure });
  }

  handleReadyForQuery(): void {
    if (this.#answers.length !== this.#calls.length) throw this.#misread('the end');
    this.#settle({ answers: this.#answers, failure: null });
  }

  #answered(command: string, rowCount: number): void {
    const name = this.#calls[this.#answers.length]?.[0].name;
    if (typeof name === 'string') this.#known.set(name, this.#readers);
    this.#answers.push({ rows: this.#rows, command, rowCount });
    this.#begin();
  }

  #misread(what: string): AssertionFailure {
    const names = this.#calls.map(([{ name, text }]) => name ?? text.slice(0, 40));
    const place = `statement ${this.#answers.length} of ${names.join(', ')}`;
    return new AssertionFailure(
      `${what} came where ${this.#readers.length} columns are described, at ${place}`,
    );
  }

  /** The next statement. */
  #begin(): void {
    const name = this.#calls[this.#answers.length]?.[0].name;
    this.#readers = (typeof name === 'string' ? this.#known.get(name) : undefined) ?? [];
    this.#rows = [];
  }

  #encode(): Buffer {
    const messages = new FrontendMessages();
    const sent = new Set<string>();
    for (const [{ name, text }, ...values] of this.#calls) {
      const isKnown = name !== null && (this.#known.has(name) || sent.has(name));
      if (!isKnown) {
        // A statement that failed may be there all the same.
        if (name !== null) messages.close(name);
        messages.parse(name ?? '', text);
      }
      messages.bind(name ?? '', values);
      if (!isKnown) messages.describe();
      messages.execute();
      if (name !== null) sent.add(name);
    }
    messages.sync();
    return messages.bytes();
  }
}
