/**
 * The log of a region that is alone and has no key: nobody but itself reads what it writes, and nothing is sealed or
 * checked. It must never be used where there are peers. Seals from when it had a key are taken off unread, so that it
 * still finds in its log whether its database is its own past (P1).
 */
import type { OutgoingRecord } from '../ports/change-sink.ts';
import {
  type LogOpener,
  type LogPlace,
  type LogSealer,
  type LogTopic,
  type Opened,
} from '../ports/log-seal.ts';
import { readSealed, sealMark } from './sealed-record.ts';

export const unsealed: LogSealer & LogOpener = {
  seal: (_topic: LogTopic, records: readonly OutgoingRecord[]) => records,
  open: (_place: LogPlace, bytes: Uint8Array): Opened => {
    if (bytes[0] !== sealMark) return { kind: 'genuine', body: bytes };
    const record = readSealed(bytes);
    return record === null ? { kind: 'refused', fault: 'malformed' } : { kind: 'genuine', body: record.body };
  },
  prepare: async () => undefined,
  bodyOf: (sealed: Uint8Array) => (sealed[0] === sealMark ? (readSealed(sealed)?.body ?? null) : sealed),
};
