/**
 * The progress message: what a target tells every origin about how far it holds that origin's changes (P4, P7).
 * Binary, its version first. Decoding checks every name, count, number and time, so whatever arrives ends in a
 * message that the engine can trust in form, in a `malformed-record` that names field, limit and value, or in
 * `newer-format`. Whether it comes from the region that it names is for the reader of that region's topic to check.
 *
 *     u8 version = 3 (version 1 has no barriers, and neither it nor 2 the count)
 *     string region, u32 counter, u32 nonce, f64 publishedAtMs
 *     u8 flag [varint count]                                    own changes that its log holds
 *     varint origins, then for each
 *       string origin, u32 counter, u32 nonce
 *       varint partitions (0: nothing settled), u64 settled LSN for each
 *       u8 flag [varint number]                                 newest beat settled in all partitions
 *       u8 flag [varint number, f64 atMs, f64 receivedAtMs]     newest beat received
 *     barriers: `barrier-word.ts`
 */
import { ByteReader, ByteWriter, malformed, unknownVersion } from '../bytes.ts';
import type { Lsn } from '../ports/change.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';
import { type BarrierWord, readBarrierWord, silence, writeBarrierWord } from './barrier-word.ts';
import { maxPartitions, outside, readIncarnation, readRegion, readTime, readUpTo } from './wire-fields.ts';

const progressVersion = 3;
/** Still read: an own log may hold them from before, and so do peers that are not upgraded yet. */
const versionWithoutBarriers = 1;
const versionWithoutCount = 2;
const maxMessageBytes = 1024 * 1024;
const maxOrigins = 256;

/** The newest beat of an origin that had reached the target when it published. */
export interface BeatEcho {
  readonly number: number;
  /** Origin's clock. */
  readonly atMs: number;
  /** Target's clock. */
  readonly receivedAtMs: number;
}

export interface OriginProgress {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
  /** For each partition; `null` where not every partition has a position yet. */
  readonly settled: readonly Lsn[] | null;
  /** Newest beat settled in all partitions. */
  readonly settledBeat: number | null;
  readonly echo: BeatEcho | null;
}

export interface ProgressMessage {
  /** The target: the region that tells. */
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  /** Target's clock. */
  readonly publishedAtMs: number;
  /** Own changes that its log holds, counted as beats count them; `null`: not known. */
  readonly publishedCount: number | null;
  /** Each origin once. */
  readonly origins: readonly OriginProgress[];
  readonly barriers: BarrierWord;
}

/** One for all messages. */
const shared = new ByteWriter(512);

export function encodeProgress(message: ProgressMessage): Buffer {
  const writer = shared;
  writer.clear();
  writer.u8(progressVersion);
  writer.string(message.region);
  writeIncarnation(writer, message.incarnation);
  writer.f64(message.publishedAtMs);
  writer.u8(message.publishedCount === null ? 0 : 1);
  if (message.publishedCount !== null) writer.varint(message.publishedCount);
  writer.varint(message.origins.length);
  for (const origin of message.origins) writeOrigin(writer, origin);
  writeBarrierWord(writer, message.barriers);
  return writer.finish();
}

/** Throws `malformed-record` or `newer-format`. */
export function decodeProgress(bytes: Uint8Array): ProgressMessage {
  if (bytes.length > maxMessageBytes) throw outside('message bytes', maxMessageBytes, bytes.length);
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version < versionWithoutBarriers || version > progressVersion)
    throw unknownVersion('progress message', version, progressVersion);
  const message = {
    region: readRegion(reader, 'region'),
    incarnation: readIncarnation(reader),
    publishedAtMs: readTime(reader, 'publishedAtMs'),
    publishedCount: version > versionWithoutCount ? readCount(reader) : null,
    origins: readOrigins(reader),
    barriers: version === versionWithoutBarriers ? silence : readBarrierWord(reader),
  };
  reader.end();
  return message;
}

function writeOrigin(writer: ByteWriter, progress: OriginProgress): void {
  writer.string(progress.origin);
  writeIncarnation(writer, progress.incarnation);
  writer.varint(progress.settled?.length ?? 0);
  for (const lsn of progress.settled ?? []) writer.u64(lsn);
  writer.u8(progress.settledBeat === null ? 0 : 1);
  if (progress.settledBeat !== null) writer.varint(progress.settledBeat);
  writer.u8(progress.echo === null ? 0 : 1);
  if (progress.echo === null) return;
  writer.varint(progress.echo.number);
  writer.f64(progress.echo.atMs);
  writer.f64(progress.echo.receivedAtMs);
}

function writeIncarnation(writer: ByteWriter, incarnation: Incarnation): void {
  writer.u32(incarnation.counter);
  writer.u32(incarnation.nonce);
}

function readOrigins(reader: ByteReader): readonly OriginProgress[] {
  const count = readUpTo(reader, 'origins', maxOrigins);
  const origins: OriginProgress[] = [];
  const seen = new Set<RegionId>();
  for (let index = 0; index < count; index++) {
    const progress = readOrigin(reader);
    if (seen.has(progress.origin)) throw malformed(`origin ${progress.origin} is told twice`);
    seen.add(progress.origin);
    origins.push(progress);
  }
  return origins;
}

function readOrigin(reader: ByteReader): OriginProgress {
  return {
    origin: readRegion(reader, 'origin'),
    incarnation: readIncarnation(reader),
    settled: readSettled(reader),
    settledBeat: readFlag(reader, 'settledBeat') ? reader.varint() : null,
    echo: readFlag(reader, 'echo') ? readEcho(reader) : null,
  };
}

function readCount(reader: ByteReader): number | null {
  return readFlag(reader, 'publishedCount') ? reader.varint() : null;
}

function readSettled(reader: ByteReader): readonly Lsn[] | null {
  const count = readUpTo(reader, 'partitions', maxPartitions);
  if (count === 0) return null;
  const settled: Lsn[] = [];
  for (let index = 0; index < count; index++) settled.push(reader.u64());
  return settled;
}

function readEcho(reader: ByteReader): BeatEcho {
  return {
    number: reader.varint(),
    atMs: readTime(reader, 'echo.atMs'),
    receivedAtMs: readTime(reader, 'echo.receivedAtMs'),
  };
}

function readFlag(reader: ByteReader, field: string): boolean {
  const flag = reader.u8();
  if (flag > 1) throw outside(`${field} flag`, 1, flag);
  return flag === 1;
}
