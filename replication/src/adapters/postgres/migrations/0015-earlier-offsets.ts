/** The age of a beat is told by the offset that held when it was made, also after the peer's clock was set (P7). */
export const earlierOffsets = `
ALTER TABLE isthmus.peer_progress
  ADD COLUMN earlier_offsets_ms double precision[] NOT NULL DEFAULT '{}',
  ADD COLUMN earlier_until_beats bigint[] NOT NULL DEFAULT '{}',
  ADD CHECK (cardinality(earlier_offsets_ms) = cardinality(earlier_until_beats));
`;
