/**
 * What Postgres says of the relay's replication slot and of the write-ahead log that it keeps for it. Postgres gives up
 * a slot that would keep more than `max_slot_wal_keep_size`; what was not relayed by then has to come from the records.
 */
export interface SlotHealth {
  /** From the oldest record that the slot still needs; `null`: the slot is gone or was given up. */
  readonly retainedBytes: number | null;
  /** `null`: there is no slot. */
  readonly walStatus: 'reserved' | 'extended' | 'unreserved' | 'lost' | null;
  /** What may still be written before Postgres gives the slot up; `null`: without limit, or it was given up. */
  readonly safeBytes: number | null;
  /** `max_slot_wal_keep_size`; `null`: without limit, and a full disk is what ends it. */
  readonly limitBytes: number | null;
}
