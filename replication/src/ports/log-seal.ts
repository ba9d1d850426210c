/**
 * Seals on what lies in a log, so that nobody but a region can write in its name (P4). A seal covers every byte of the
 * record and the place where it lies: region, topic and partition. At any other place it is worth nothing. Opening is
 * the only way from bytes of a log to a record; whatever is not proven is refused with its cause and never read
 * further. Time is the reader's own: what lies in a log tells none that could be trusted before it is opened.
 */
import type { OutgoingRecord } from './change-sink.ts';
import type { RegionId } from './identity.ts';

export type LogTopic = 'changes' | 'progress' | 'control';

export interface LogPlace {
  readonly region: RegionId;
  readonly topic: LogTopic;
  readonly partition: number;
}

export type SealFault =
  /** It bears no seal. */
  | 'unsigned'
  /** Its seal cannot be read. */
  | 'malformed'
  /** No known key of the place's region has this name. */
  | 'unknown-key'
  /** The key counts not yet, or not any more. */
  | 'expired-key'
  /** It was changed, lies where it does not belong, or is another's. */
  | 'bad-signature';

export type Opened =
  /** `body` is a view on what was opened. */
  | { readonly kind: 'genuine'; readonly body: Uint8Array }
  | { readonly kind: 'refused'; readonly fault: SealFault };

/** In the name of the own region. */
export interface LogSealer {
  /** In the same order. The same records give the same bytes, so that what is sent twice is the same. */
  seal(topic: LogTopic, records: readonly OutgoingRecord[]): readonly OutgoingRecord[];
}

export interface LogOpener {
  open(place: LogPlace, sealed: Uint8Array): Opened;
  /** Does beside the event loop what opening all of these, one after the other, would hold it up with. Rejects for none. */
  prepare(place: LogPlace, sealed: readonly Uint8Array[]): Promise<void>;
  /** What it says, unchecked: for who asks only whether it could be of any use. `null`: it cannot be read. */
  bodyOf(sealed: Uint8Array): Uint8Array | null;
}

/** What was dropped, and where it lay. */
export interface RefusedRecord extends LogPlace {
  /** `null`: it was not read by its offset. */
  readonly offset: bigint | null;
  readonly fault: SealFault;
}
