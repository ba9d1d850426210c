/**
 * Messages to a Postgres server in the extended query protocol (version 3.0, "Message Formats"), written one after the
 * other into one run of bytes, so that a whole round trip goes out with one write. Values travel as text, except bytes,
 * which travel as they are. Results are asked for as text, because `pg` reads every field as UTF-8.
 */
import { ByteWriter } from '../../bytes.ts';

export type Value = string | number | boolean | Uint8Array | null;

const codes = { bind: 0x42, close: 0x43, describe: 0x44, execute: 0x45, parse: 0x50, sync: 0x53 } as const;
const statementKind = 0x53;
const portalKind = 0x50;
const nullLength = 0xffff_ffff;
const textFormat = 0;
const binaryFormat = 1;
const unlimited = 0;
const initialBytes = 2_048;

export class FrontendMessages {
  readonly #writer = new ByteWriter(initialBytes);

  parse(name: string, text: string): void {
    this.#message(codes.parse, (writer) => {
      cString(writer, name);
      cString(writer, text);
      writer.u16(0); // parameter types: as the server finds them
    });
  }

  /** Into the unnamed portal. */
  bind(name: string, values: readonly Value[]): void {
    this.#message(codes.bind, (writer) => {
      cString(writer, '');
      cString(writer, name);
      writer.u16(values.length);
      for (const value of values) writer.u16(value instanceof Uint8Array ? binaryFormat : textFormat);
      writer.u16(values.length);
      for (const value of values) parameter(writer, value);
      writer.u16(1);
      writer.u16(textFormat);
    });
  }

  /** The columns of the unnamed portal. */
  describe(): void {
    this.#message(codes.describe, (writer) => {
      writer.u8(portalKind);
      cString(writer, '');
    });
  }

  /** The unnamed portal, to its end. */
  execute(): void {
    this.#message(codes.execute, (writer) => {
      cString(writer, '');
      writer.u32(unlimited);
    });
  }

  /** Of a statement that need not exist. */
  close(name: string): void {
    this.#message(codes.close, (writer) => {
      writer.u8(statementKind);
      cString(writer, name);
    });
  }

  sync(): void {
    this.#message(codes.sync, () => undefined);
  }

  /** All of them; nothing may be added afterwards. */
  bytes(): Buffer {
    return this.#writer.view();
  }

  #message(code: number, write: (writer: ByteWriter) => void): void {
    this.#writer.u8(code);
    lengthPrefixed(this.#writer, 4, write);
  }
}

/** `counted`: how many bytes of itself the length counts. */
function lengthPrefixed(writer: ByteWriter, counted: number, write: (writer: ByteWriter) => void): void {
  const at = writer.length;
  writer.u32(0);
  write(writer);
  writer.setU32(at, writer.length - at - 4 + counted);
}

function parameter(writer: ByteWriter, value: Value): void {
  if (value === null) writer.u32(nullLength);
  else if (value instanceof Uint8Array) {
    writer.u32(value.length);
    writer.raw(value);
  } else lengthPrefixed(writer, 0, () => writer.utf8(String(value)));
}

function cString(writer: ByteWriter, text: string): void {
  writer.utf8(text);
  writer.u8(0);
}
