/**
 * What a region says of barriers in its progress (P8): its own open one, to which the others answer, and its answers to
 * theirs. Both are repeated in every message as long as they hold, so nothing has to be acknowledged. An answer names
 * whom it is for and the number and the round of the asking, so none is ever taken for another. Pure.
 *
 *     varint 0 | 1                                     an own barrier is open
 *       varint number, varint round, varint 0 | 1 [vector]
 *     varint answers, then for each
 *       string asker, u32 counter, u32 nonce, varint number, varint round
 *       vector position, varint 0 | 1                  what is to be covered is covered
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';
import type { Vector } from '../ports/vector.ts';
import { readVector, writeVector } from './offer-bytes.ts';
import { readIncarnation, readRegion, readUpTo } from './wire-fields.ts';

export interface BarrierAsk {
  readonly number: number;
  readonly round: number;
  /** What everybody has to settle; `null` while somebody has not told a position yet. */
  readonly vector: Vector | null;
}

export interface BarrierAnswer {
  readonly asker: RegionId;
  readonly askerIncarnation: Incarnation;
  readonly number: number;
  readonly round: number;
  /** Beyond everything that the answering region held when it had seen the asking. */
  readonly position: Vector;
  /** Whether it has settled the asker's vector. */
  readonly isCovered: boolean;
}

export interface BarrierWord {
  readonly ask: BarrierAsk | null;
  /** One for each asker at most. */
  readonly answers: readonly BarrierAnswer[];
}

export const silence: BarrierWord = { ask: null, answers: [] };

const maxAnswers = 256;

export function writeBarrierWord(writer: ByteWriter, { ask, answers }: BarrierWord): void {
  writer.varint(ask === null ? 0 : 1);
  if (ask !== null) {
    writer.varint(ask.number);
    writer.varint(ask.round);
    writer.varint(ask.vector === null ? 0 : 1);
    if (ask.vector !== null) writeVector(writer, ask.vector);
  }
  writer.varint(answers.length);
  for (const answer of answers) writeAnswer(writer, answer);
}

function writeAnswer(writer: ByteWriter, answer: BarrierAnswer): void {
  writer.string(answer.asker);
  writer.u32(answer.askerIncarnation.counter);
  writer.u32(answer.askerIncarnation.nonce);
  writer.varint(answer.number);
  writer.varint(answer.round);
  writeVector(writer, answer.position);
  writer.varint(answer.isCovered ? 1 : 0);
}

/** Throws `malformed-record`. */
export function readBarrierWord(reader: ByteReader): BarrierWord {
  const ask = readFlag(reader, 'an open barrier') ? readAsk(reader) : null;
  const count = readUpTo(reader, 'barrier answers', maxAnswers);
  const answers = Array.from({ length: count }, () => readAnswer(reader));
  return { ask, answers };
}

function readAsk(reader: ByteReader): BarrierAsk {
  const number = reader.varint();
  const round = reader.varint();
  return { number, round, vector: readFlag(reader, 'a vector') ? readVector(reader) : null };
}

function readAnswer(reader: ByteReader): BarrierAnswer {
  return {
    asker: readRegion(reader, 'an asker'),
    askerIncarnation: readIncarnation(reader),
    number: reader.varint(),
    round: reader.varint(),
    position: readVector(reader),
    isCovered: readFlag(reader, 'a covered vector'),
  };
}

function readFlag(reader: ByteReader, what: string): boolean {
  return readUpTo(reader, `the flag of ${what}`, 1) === 1;
}
